import { loadPlugin } from "anyplug";
import { Kind } from "./generated/shop/catalog/v1/item.js";
import { Catalog } from "./generated/shop/catalog/v1/item_anyplug.js";

const plugin = await loadPlugin(process.argv[2] ?? "");
const catalog = plugin.client(Catalog);
const item = await catalog.sell({
  class: "book",
  price: { cents: 1_000_000_000_000n },
  options: new Map([["__proto__", { error: { None: "none" } }]]),
  list: ["a", "b"],
  at: { seconds: 5n, nanos: 6000 },
  mask: ["price.cents"],
  type: { $case: "self", self: "me" },
  kind: Kind.KIND_None,
  inside: { class: "page" },
});
const names: string[] = [];
for await (const listed of catalog.list({ list: ["x", "y"] })) names.push(listed.class);
await catalog.import({});
const words = [
  item.class,
  item.price?.cents,
  item.options.get("__proto__")?.error?.None,
  item.list.join("+"),
  `${item.at?.seconds}.${item.at?.nanos}`,
  item.mask?.join(),
  item.type?.$case === "self" ? item.type.self : "",
  item.kind,
  item.inside?.class,
  ...names,
];
console.log(words.join(" "));
await plugin.close();
