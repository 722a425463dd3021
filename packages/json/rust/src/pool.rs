//! The descriptors of a set of types.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyplug_core::{Error, Result};
use prost::Message;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};

/// The types of all sets and the well-known ones; of files with one name the first.
///
/// # Errors
///
/// INVALID_ARGUMENT when the bytes of a set are none, or an import is missing.
pub(crate) fn pool_of(sets: &[impl AsRef<[u8]>]) -> Result<DescriptorPool> {
    let refused =
        |reason: &dyn std::fmt::Display| Error::invalid_argument(format!("a descriptor set cannot be used: {reason}"));
    // It begins with the well-known types.
    let mut pool = DescriptorPool::global();
    let mut names: HashSet<String> = pool.files().map(|file| file.name().to_owned()).collect();
    let mut files: Vec<FileDescriptorProto> = Vec::new();
    for set in sets {
        let set = FileDescriptorSet::decode(set.as_ref()).map_err(|error| refused(&error))?;
        files.extend(set.file.into_iter().filter(|file| names.insert(file.name().to_owned())));
    }
    for file in &files {
        if !matches!(file.syntax(), "" | "proto2" | "proto3") {
            let told =
                format!("{} is of the syntax {:?}, and proto2 and proto3 are what is read", file.name(), file.syntax());
            return Err(refused(&told));
        }
    }
    // The library panics where it should tell what is wrong with a file that no compiler wrote.
    match catch_unwind(AssertUnwindSafe(|| pool.add_file_descriptor_protos(files))) {
        Ok(Ok(())) => Ok(pool),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(refused(&"its files contradict themselves")),
    }
}
