from collections.abc import Iterator

from anyplug import Context, define_plugin, implement, serve
from shop_generated.google.protobuf import Empty
from shop_generated.shop import Money
from shop_generated.shop.catalog.v1 import Item
from shop_generated.shop.catalog.v1.item_anyplug import Catalog, CatalogHandler


class Shop(CatalogHandler):
    def sell(self, request: Item, context: Context) -> Item:
        request.price = Money(cents=2 * request.price.cents if request.price else 0)
        return request

    def list(self, request: Item, context: Context) -> Iterator[Item]:
        for name in request.list:
            yield Item(class_=name)

    def import_(self, request: Empty, context: Context) -> Empty:
        return Empty()


plugin = define_plugin(name="shop", version="1.0.0", services=[implement(Catalog, Shop())])

if __name__ == "__main__":
    serve(plugin)
