#![deny(warnings)]
//! Buys a book.

use shop::shop::Money;
use shop::shop::catalog::v1::item::Type;
use shop::shop::catalog::v1::option::Error;
use shop::shop::catalog::v1::{CatalogClient, Item, Kind, Option as Choice};

#[tokio::main]
async fn main() -> anyplug::Result<()> {
    let plugin = anyplug::load_plugin(std::env::args().nth(1).unwrap_or_default()).await?;
    let catalog = CatalogClient::new(&plugin);
    let choice = Choice { error: Some(Error { none: "none".into() }) };
    let item = catalog
        .sell(Item {
            class: "book".into(),
            price: Some(Money { cents: 1_000_000_000_000 }),
            options: [("__proto__".into(), choice)].into(),
            list: vec!["a".into(), "b".into()],
            at: Some(prost_types::Timestamp { seconds: 5, nanos: 6000 }),
            mask: Some(prost_types::FieldMask { paths: vec!["price.cents".into()] }),
            kind: Kind::None.into(),
            inside: Some(Box::new(Item { class: "page".into(), ..Item::default() })),
            r#type: Some(Type::Self_("me".into())),
            ..Item::default()
        })
        .await?;
    let mut names = Vec::new();
    let mut listed = catalog.list(Item { list: vec!["x".into(), "y".into()], ..Item::default() }).await?;
    while let Some(item) = listed.message().await? {
        names.push(item.class);
    }
    catalog.import(()).await?;
    let option = item.options.get("__proto__").and_then(|choice| choice.error.as_ref());
    let at = item.at.map(|at| format!("{}.{}", at.seconds, at.nanos));
    let myself = match &item.r#type {
        Some(Type::Self_(text)) => text.as_str(),
        _ => "",
    };
    println!(
        "{} {} {} {} {} {} {} {} {} {}",
        item.class,
        item.price.map_or(0, |price| price.cents),
        option.map_or("", |error| &error.none),
        item.list.join("+"),
        at.unwrap_or_default(),
        item.mask.map_or_else(String::new, |mask| mask.paths.join(",")),
        myself,
        item.kind,
        item.inside.map_or_else(String::new, |inside| inside.class),
        names.join(" "),
    );
    plugin.close().await
}
