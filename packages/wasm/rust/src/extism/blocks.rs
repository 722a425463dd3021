//! The blocks of the host's memory that a plugin has: none of them is in its own.

/// Bits of an address that say where in its block it is; those above tell the block.
const WITHIN_BITS: u32 = 32;
/// What a block takes beside its bytes, about.
const BLOCK_BYTES: u64 = 64;
/// Room for so many blocks is kept from call to call.
const KEPT: usize = 1024;

/// The blocks of one instance, for as long as one call takes.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    places: Vec<Option<Block>>,
    free: Vec<u32>,
    /// What all of them take.
    bytes: u64,
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    /// It stays until the call is over.
    is_kept: bool,
}

impl Blocks {
    /// A new block of so many zeros; 0: there is no room for it, or it would be empty.
    pub(crate) fn alloc(&mut self, length: u64, limit: u64) -> u64 {
        if self.has_room(length, limit) { self.put(vec![0; length as usize]) } else { 0 }
    }

    /// Whether there is room for a block of that length.
    pub(crate) fn has_room(&self, length: u64, limit: u64) -> bool {
        let longest = u64::from(u32::MAX);
        length <= longest && self.bytes.saturating_add(length).saturating_add(BLOCK_BYTES) <= limit
    }

    /// A new block with these bytes, for which there is room; 0 without bytes.
    pub(crate) fn put(&mut self, bytes: Vec<u8>) -> u64 {
        if bytes.is_empty() {
            return 0;
        }
        self.bytes += bytes.len() as u64 + BLOCK_BYTES;
        let block = Some(Block { bytes, is_kept: false });
        let place = self.free.pop().unwrap_or(self.places.len() as u32);
        match self.places.get_mut(place as usize) {
            Some(free) => *free = block,
            None => self.places.push(block),
        }
        (u64::from(place) + 1) << WITHIN_BITS
    }

    /// Gives a block back, unless there is none at that address, or it is kept.
    pub(crate) fn free(&mut self, address: u64) {
        let Some((place, 0)) = split(address) else { return };
        let Some(slot) = self.places.get_mut(place) else { return };
        if let Some(block) = slot.take_if(|block| !block.is_kept) {
            self.bytes -= block.bytes.len() as u64 + BLOCK_BYTES;
            self.free.push(place as u32);
        }
    }

    /// All of the block that begins there.
    pub(crate) fn get(&self, address: u64) -> Option<&[u8]> {
        match split(address)? {
            (place, 0) => Some(&self.places.get(place)?.as_ref()?.bytes),
            _ => None,
        }
    }

    /// All of the block that begins there; nothing where there is none.
    pub(crate) fn text(&self, address: u64) -> &[u8] {
        self.get(address).unwrap_or_default()
    }

    /// A range within a block.
    pub(crate) fn range(&self, address: u64, length: u64) -> Option<&[u8]> {
        let (place, from) = split(address)?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        self.places.get(place)?.as_ref()?.bytes.get(from..to)
    }

    /// A range within a block, to write to.
    pub(crate) fn range_mut(&mut self, address: u64, length: u64) -> Option<&mut [u8]> {
        let (place, from) = split(address)?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        self.places.get_mut(place)?.as_mut()?.bytes.get_mut(from..to)
    }

    /// Has the block stay until the call is over, though it is given back.
    pub(crate) fn keep(&mut self, address: u64) {
        if let Some((place, _)) = split(address)
            && let Some(Some(block)) = self.places.get_mut(place)
        {
            block.is_kept = true;
        }
    }

    /// Takes a range out of its block, which is of no use afterwards.
    pub(crate) fn take(&mut self, address: u64, length: u64) -> Option<Vec<u8>> {
        let (place, from) = split(address)?;
        let block = self.places.get_mut(place)?.as_mut()?;
        if from == 0 && block.bytes.len() as u64 == length {
            return Some(std::mem::take(&mut block.bytes));
        }
        self.range(address, length).map(<[u8]>::to_vec)
    }

    /// Gives all blocks back.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
        self.places.shrink_to(KEPT);
        self.free.shrink_to(KEPT);
        self.bytes = 0;
    }
}

/// The block's place, and where in it the address is.
fn split(address: u64) -> Option<(usize, usize)> {
    let place = (address >> WITHIN_BITS).checked_sub(1)?;
    Some((place as usize, (address & u64::from(u32::MAX)) as usize))
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn blocks_do_not_meet() {
        let mut blocks = Blocks::default();
        let [one, other] = [8, 8].map(|length| blocks.alloc(length, 1000));
        assert!(one != 0 && other != 0 && one != other);
        blocks.range_mut(one, 8).expect("a block").fill(1);
        assert_eq!(blocks.get(other), Some(&[0; 8][..]));
        assert_eq!(blocks.range(one + 7, 1), Some(&[1][..]));
        for (address, length) in [(one + 7, 2), (one + 8, 1), (one, 9), (one, u64::MAX), (0, 1), (u64::MAX, 1), (3, 1)]
        {
            assert_eq!(blocks.range(address, length), None, "{length} at {address}");
        }
        assert_eq!(blocks.get(one + 1), None);
    }

    #[test]
    fn what_is_given_back_is_given_out_once_and_empty() {
        let mut blocks = Blocks::default();
        let one = blocks.alloc(8, 1000);
        blocks.range_mut(one, 8).expect("a block").fill(1);
        blocks.free(one);
        blocks.free(one);
        assert_eq!(blocks.get(one), None);
        let (again, other) = (blocks.alloc(8, 1000), blocks.alloc(8, 1000));
        assert_ne!(again, other);
        assert_eq!(blocks.get(again), Some(&[0; 8][..]));
    }

    #[test]
    fn there_is_a_limit() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.alloc(1000, 1000), 0);
        assert_eq!(blocks.alloc(u64::MAX, u64::MAX), 0);
        let one = blocks.alloc(900, 1000);
        assert_ne!(one, 0);
        assert_eq!(blocks.alloc(1, 1000), 0);
        blocks.free(one);
        assert_ne!(blocks.alloc(1, 1000), 0);
        blocks.clear();
        assert_ne!(blocks.alloc(900, 1000), 0);
    }
}
