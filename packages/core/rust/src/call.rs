//! What a session knows of one call, and tables of calls.

use crate::credit::{ReceiveCredit, SendCredit};

/// The state of one call. It is forgotten when the call has ended, except where the application has not read everything yet.
#[derive(Debug)]
pub(crate) struct Call {
    /// Place in the order in which calls were opened.
    pub(crate) order: u64,
    /// The peer made this call.
    pub(crate) is_callee: bool,
    /// The call has not ended. A call that has ended stays in the table until what it holds is read.
    pub(crate) is_open: bool,
    /// This side may still send.
    pub(crate) sends: bool,
    /// The peer may still send.
    pub(crate) receives: bool,
    /// A message of the peer has come, beside that of the request.
    pub(crate) received: bool,
    /// This side has sent a message, beside that of the request.
    pub(crate) sent: bool,
    /// The sender waits until the written bytes are taken.
    pub(crate) waits_for_output: bool,
    pub(crate) send_credit: SendCredit,
    pub(crate) receive_credit: ReceiveCredit,
    /// Bytes and messages that the application has not consumed.
    pub(crate) unread_bytes: usize,
    pub(crate) unread_messages: usize,
}

/// A map by call id. Ids come one after the other, so that a table with open addressing, which keeps neighbours beside each other,
/// is several times faster than a general map. What a peer can do by choosing its ids is a search through its own open calls.
#[derive(Debug)]
pub(crate) struct ById<T> {
    /// A power of two; at most three quarters are taken.
    entries: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), len: 0 }
    }
}

const FIRST_ENTRIES: usize = 16;

impl<T> ById<T> {
    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        match self.entries.get(self.find(id)?) {
            Some(Some((_, value))) => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let place = self.find(id)?;
        match self.entries.get_mut(place) {
            Some(Some((_, value))) => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn contains(&self, id: u32) -> bool {
        self.find(id).is_some()
    }

    /// Adds a value, or replaces that of the same id.
    pub(crate) fn insert(&mut self, id: u32, value: T) {
        if (self.len + 1) * 4 > self.entries.len() * 3 {
            self.grow();
        }
        let mut place = self.home(id);
        loop {
            match self.entries.get_mut(place) {
                Some(entry @ None) => {
                    *entry = Some((id, value));
                    self.len += 1;
                    return;
                }
                Some(Some((other, old))) if *other == id => {
                    *old = value;
                    return;
                }
                _ => place = self.after(place),
            }
        }
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let mut hole = self.find(id)?;
        let removed = self.entries.get_mut(hole)?.take();
        self.len -= 1;
        // What stands behind the hole and belongs before it moves up, so that a search never meets a gap too early.
        let mut next = self.after(hole);
        while let Some(Some((other, _))) = self.entries.get(next) {
            let home = self.home(*other);
            let mask = self.entries.len() - 1;
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.entries.swap(hole, next);
                hole = next;
            }
            next = self.after(next);
        }
        removed.map(|(_, value)| value)
    }

    /// Takes everything out, in no order.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = (u32, T)> + use<T> {
        self.len = 0;
        std::mem::take(&mut self.entries).into_iter().flatten()
    }

    #[inline]
    fn find(&self, id: u32) -> Option<usize> {
        let mut place = self.home(id);
        loop {
            match self.entries.get(place)? {
                Some((other, _)) if *other == id => return Some(place),
                Some(_) => place = self.after(place),
                None => return None,
            }
        }
    }

    /// Where an id belongs. The ids of one side are two apart.
    #[inline]
    fn home(&self, id: u32) -> usize {
        (id >> 1) as usize & self.entries.len().wrapping_sub(1)
    }

    #[inline]
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.entries.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let entries = (self.entries.len() * 2).max(FIRST_ENTRIES);
        let old = std::mem::replace(&mut self.entries, std::iter::repeat_with(|| None).take(entries).collect());
        self.len = 0;
        for (id, value) in old.into_iter().flatten() {
            self.insert(id, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::ById;

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((any::<bool>(), prop_oneof![0u32..40, any::<u32>()]), 0..400)) {
            let (mut map, mut model) = (ById::default(), BTreeMap::new());
            for (number, (adds, id)) in steps.into_iter().enumerate() {
                if adds {
                    map.insert(id, number);
                    model.insert(id, number);
                } else {
                    prop_assert_eq!(map.remove(id), model.remove(&id));
                }
                prop_assert_eq!(map.get(id), model.get(&id));
                prop_assert_eq!(map.contains(id ^ 2), model.contains_key(&(id ^ 2)));
            }
            for (id, value) in &mut model {
                prop_assert_eq!(map.get_mut(*id), Some(value));
            }
            prop_assert_eq!(map.take_all().collect::<BTreeMap<_, _>>(), model);
        }
    }
}
