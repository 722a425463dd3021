#![deny(warnings)]
//! Sells things.

use std::process::ExitCode;

use anyplug_sdk::{Context, Plugin, Result, Sender, serve};
use shop::shop::Money;
use shop::shop::catalog::v1::{Catalog, CatalogHandler, Item};

struct Shop;

impl CatalogHandler for Shop {
    async fn sell(&self, mut item: Item, _: Context) -> Result<Item> {
        item.price = Some(Money { cents: 2 * item.price.map_or(0, |price| price.cents) });
        Ok(item)
    }

    async fn list(&self, item: Item, responses: Sender<Item>, _: Context) -> Result<()> {
        for class in item.list {
            responses.send(Item { class, ..Item::default() }).await?;
        }
        Ok(())
    }

    async fn import(&self, _: (), _: Context) -> Result<()> {
        Ok(())
    }
}

fn main() -> ExitCode {
    serve(Plugin::new("shop", "1.0.0").service(Catalog::implement(Shop)))
}
