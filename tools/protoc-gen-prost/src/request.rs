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
/// A message for the user: an option is wrong, a file is not in proto3, or prost refuses the schema.
pub(crate) fn generate(request: CodeGeneratorRequest) -> Result<Vec<File>, String> {
    let targets: HashSet<&str> = request.file_to_generate.iter().map(String::as_str).collect();
    check_language(&request, &targets)?;
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

/// In proto2 and in editions fields are required, have defaults or are groups: `protoc-gen-anyplug` refuses them as well.
fn check_language(request: &CodeGeneratorRequest, targets: &HashSet<&str>) -> Result<(), String> {
    let refused: Vec<String> = (request.proto_file.iter())
        .filter(|file| targets.contains(file.name()) && file.syntax() != "proto3")
        .filter(|file| file.name() != "google/protobuf/descriptor.proto")
        .map(|file| {
            let what = if file.syntax() == "editions" { "an edition" } else { "proto2" };
            format!(
                "{}: the file is in {what}, and anyplug generates from proto3. Write syntax = \"proto3\"",
                file.name()
            )
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(refused.join("\n")) }
}

/// `a::r#type` gives `a/type/messages.rs`.
fn path(module: &Module) -> String {
    module.parts().map(|part| part.trim_start_matches("r#")).chain(["messages.rs"]).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use prost_types::compiler::CodeGeneratorRequest;
    use prost_types::field_descriptor_proto::{Label, Type};
    use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

    use super::generate;

    fn file(name: &str, package: &str, message: &str, field: Option<&str>) -> FileDescriptorProto {
        let field = field.map(|type_name| FieldDescriptorProto {
            name: Some("field".into()),
            number: Some(1),
            label: Some(Label::Optional.into()),
            r#type: Some(Type::Message.into()),
            type_name: Some(type_name.into()),
            ..Default::default()
        });
        FileDescriptorProto {
            name: Some(name.into()),
            package: Some(package.into()),
            syntax: Some("proto3".into()),
            message_type: vec![DescriptorProto {
                name: Some(message.into()),
                field: field.into_iter().collect(),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn request(targets: &[&str], files: Vec<FileDescriptorProto>) -> CodeGeneratorRequest {
        CodeGeneratorRequest {
            file_to_generate: targets.iter().map(|name| (*name).to_owned()).collect(),
            proto_file: files,
            ..Default::default()
        }
    }

    #[test]
    fn a_package_becomes_a_folder_and_imported_files_none() -> Result<(), String> {
        let files = vec![file("b.proto", "b", "B", None), file("a.proto", "a.Type.v1", "A", Some(".b.B"))];
        let generated = generate(request(&["a.proto"], files))?;
        let names: Vec<&str> = generated.iter().map(|file| file.name()).collect();
        assert_eq!(names, ["a/type/v1/messages.rs"]);
        assert!(generated.iter().all(|file| file.content().contains("super::super::super::b::B")));
        Ok(())
    }

    #[test]
    fn files_that_are_not_in_proto3_are_refused_by_name_all_at_once() {
        let files = ["proto2", "editions", "proto3"].map(|syntax| FileDescriptorProto {
            syntax: Some(syntax.into()),
            ..file(&format!("{syntax}.proto"), "a", syntax, None)
        });
        let error = generate(request(&["proto2.proto", "editions.proto", "proto3.proto"], files.into())).unwrap_err();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 2, "{error}");
        assert!(lines[0].starts_with("proto2.proto: the file is in proto2"), "{error}");
        assert!(lines[1].starts_with("editions.proto: the file is in an edition"), "{error}");
    }

    #[test]
    fn the_order_of_the_request_does_not_matter() -> Result<(), String> {
        let files = vec![file("1.proto", "a", "A", None), file("2.proto", "a", "B", Some(".a.A"))];
        let reversed = files.iter().rev().cloned().collect();
        let targets = ["1.proto", "2.proto"];
        assert_eq!(generate(request(&targets, files))?, generate(request(&targets, reversed))?);
        Ok(())
    }
}
