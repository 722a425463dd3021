import { definePlugin, implement } from "@anyplug/sdk";
import { Catalog } from "./generated/shop/catalog/v1/item_anyplug.js";

const catalog = implement(Catalog, {
  sell: (item) => ({ ...item, price: { cents: (item.price?.cents ?? 0n) * 2n } }),
  *list(item) {
    for (const name of item.list) yield { class: name };
  },
  import: () => ({}),
});

export const plugin = definePlugin({ name: "shop", version: "1.0.0", services: [catalog] });
