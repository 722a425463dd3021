import datetime
import sys

from anyplug import load_plugin
from shop_generated.google.protobuf import FieldMask
from shop_generated.shop import Money
from shop_generated.shop.catalog.v1 import Item, Kind, Option, OptionError
from shop_generated.shop.catalog.v1.item_anyplug import Catalog

with load_plugin(sys.argv[1]) as plugin:
    catalog = plugin.client(Catalog)
    item = catalog.sell(
        class_="book",
        price=Money(cents=1_000_000_000_000),
        options={"__proto__": Option(error=OptionError(none="none"))},
        list=["a", "b"],
        at=datetime.datetime(1970, 1, 1, 0, 0, 5, 6, tzinfo=datetime.UTC),
        mask=FieldMask(paths=["price.cents"]),
        self="me",
        kind=Kind.None_,
        inside=Item(class_="page"),
    )
    names = [listed.class_ for listed in catalog.list(Item(list=["x", "y"]))]
    catalog.import_()
    error = item.options["__proto__"].error
    words: list[object] = [
        item.class_,
        item.price.cents if item.price else None,
        error.none if error else None,
        "+".join(item.list),
        f"{int(item.at.timestamp())}.{item.at.microsecond * 1000}" if item.at else None,
        ",".join(item.mask.paths) if item.mask else None,
        item.self,
        int(item.kind),
        item.inside.class_ if item.inside else None,
        *names,
    ]
    print(*words)
