//! Enums are numbers in messages, and names where somebody reads them.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

/// A member with numbers of an enum, shown with their names.
pub struct Named<'a, E, M>(&'a M, PhantomData<E>);

/// Returns the member as `Debug` is to show it.
pub fn named<E, M>(member: &M) -> Named<'_, E, M> {
    Named(member, PhantomData)
}

fn value<E: TryFrom<i32> + Debug>(number: i32, formatter: &mut Formatter<'_>) -> fmt::Result {
    match E::try_from(number) {
        Ok(value) => value.fmt(formatter),
        Err(_) => number.fmt(formatter),
    }
}

impl<E: TryFrom<i32> + Debug> Debug for Named<'_, E, i32> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        value::<E>(*self.0, formatter)
    }
}

impl<E: TryFrom<i32> + Debug> Debug for Named<'_, E, Option<i32>> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map(named::<E, i32>).fmt(formatter)
    }
}

impl<E: TryFrom<i32> + Debug> Debug for Named<'_, E, Vec<i32>> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(named::<E, i32>)).finish()
    }
}

impl<E: TryFrom<i32> + Debug, K: Debug> Debug for Named<'_, E, BTreeMap<K, i32>> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.0.iter().map(|(key, value)| (key, named::<E, i32>(value)))).finish()
    }
}
