//! From the request to the files of the response.

use std::collections::HashSet;

use prost_build::Module;
use prost_types::compiler::CodeGeneratorRequest;
use prost_types::compiler::code_generator_response::File;

use crate::options;

/// Returns a file for each package of the files to generate, in order of their names.
///
/// # Errors
///
/// A message for the user: an option is wrong, or prost refuses the schema.
pub(crate) fn generate(request: CodeGeneratorRequest) -> Result<Vec<File>, String> {
    let targets: HashSet<&str> = request.file_to_generate.iter().map(String::as_str).collect();
    // prost needs imported files as well, to find recursion between messages. They go to a module that is thrown away.
    let discarded = Module::from_parts(["imported file"]);
    let mut config = options::parse(request.parameter.as_deref().unwrap_or_default())?;
    let mut files = request.proto_file.clone();
    // A package's messages are in order of the names of its files, whatever order buf hands them over in.
    files.sort_by(|a, b| a.name().cmp(b.name()));
    let modules = files
        .into_iter()
        .map(|file| {
            let module = if targets.contains(file.name()) {
                Module::from_protobuf_package_name(file.package())
            } else {
                discarded.clone()
            };
            (module, file)
        })
        .collect();
    let mut files: Vec<File> = config
        .generate(modules)
        .map_err(|error| error.to_string())?
        .into_iter()
        .filter(|(module, _)| *module != discarded)
        .map(|(module, content)| File { name: Some(path(&module)), content: Some(content), ..Default::default() })
        .collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(files)
}

/// `a::r#type` gives `a/type/messages.rs`.
fn path(module: &Module) -> String {
    module.parts().map(|part| part.trim_start_matches("r#")).chain(["messages.rs"]).collect::<Vec<_>>().join("/")
}
