//! Reading and validating a module: what the other steps need to know of it.

use crate::code::op;
use crate::refusal::Refusal;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use wasmparser::{
    BinaryReader, CompositeInnerType, ConstExpr, ElementItems, Encoding, ExternalKind, FuncToValidate,
    FuncValidatorAllocations, FunctionBody, MemoryType, Operator, Parser, Payload, TableType, TypeRef, ValType,
    ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// What is accepted: what V8 and wasmtime both run, and what can be held to the limits. No exceptions (a handler could
/// go on after a stop), no threads, no garbage collection and typed references, no relaxed SIMD (whose results differ
/// from machine to machine, and which Node 20 has behind a flag), one memory of 32 bits.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::SIMD);

/// Custom sections that stay true: all others may name places in the code, which moves.
const KEPT: [&str; 2] = ["name", "anyplug"];

/// A signature: types that are equal have the same number, which is what an indirect call compares.
pub(crate) type Signature = u32;

/// What a function calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Callee {
    /// The function with this index.
    Function(u32),
    /// Whatever function of this signature a table holds.
    Table(Signature),
}

/// A validated module.
pub(crate) struct Module<'a> {
    pub(crate) bytes: &'a [u8],
    /// The contents of the sections that are not custom, by id.
    pub(crate) sections: HashMap<u8, Range<usize>>,
    /// The custom sections to keep, whole.
    pub(crate) customs: Vec<Range<usize>>,
    /// The signature of each type, and how many parameters it has.
    pub(crate) types: Vec<(Signature, u32)>,
    /// The type of each function, the imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    pub(crate) imported_tables: u32,
    /// How many globals there are, the imported ones with them.
    pub(crate) globals: u32,
    /// Those that it defines.
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) tables: Vec<TableType>,
    pub(crate) exports: HashSet<&'a str>,
    pub(crate) start: Option<u32>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    /// What each function that it defines calls, each once.
    pub(crate) callees: Vec<Box<[Callee]>>,
    /// The functions that indirect calls may reach.
    pub(crate) in_tables: Vec<u32>,
    /// Whether the host can put functions where indirect calls find them.
    pub(crate) shares_references: bool,
}

impl Module<'_> {
    /// The signature of a type.
    pub(crate) fn signature(&self, type_index: u32) -> Signature {
        self.types.get(type_index as usize).map_or(u32::MAX, |(signature, _)| *signature)
    }

    /// The signature of a function.
    pub(crate) fn signature_of(&self, function: u32) -> Signature {
        self.functions.get(function as usize).map_or(u32::MAX, |type_index| self.signature(*type_index))
    }

    /// How many parameters a function has.
    pub(crate) fn params_of(&self, function: u32) -> u32 {
        let ty = self.functions.get(function as usize).and_then(|ty| self.types.get(*ty as usize));
        ty.map_or(0, |(_, params)| *params)
    }
}

/// Reads a module. What wasmparser finds wrong is Invalid, or Unsupported if it would be valid
/// with everything that has been proposed.
pub(crate) fn read(bytes: &[u8]) -> Result<Module<'_>, Refusal> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Refusal::too_large("a module of 4 GiB or more"));
    }
    Reader::default().read(bytes).map_err(|error| match error {
        Failure::Refused(refusal) => refusal,
        Failure::Parser(error) => {
            let everything = WasmFeatures::all();
            if Validator::new_with_features(everything).validate_all(bytes).is_ok() {
                Refusal::unsupported(format!("not supported: {} at offset {}", error.message(), error.offset()))
            } else {
                error.into()
            }
        }
    })
}

enum Failure {
    Refused(Refusal),
    Parser(wasmparser::Error),
}

impl From<wasmparser::Error> for Failure {
    fn from(error: wasmparser::Error) -> Self {
        Self::Parser(error)
    }
}

#[derive(Default)]
struct Reader {
    signatures: HashMap<wasmparser::FuncType, Signature>,
    in_tables: HashSet<u32>,
    /// Whether a global holds references to functions.
    global_references: bool,
    calls: Vec<Callee>,
    allocations: FuncValidatorAllocations,
}

impl Reader {
    fn read<'a>(mut self, bytes: &'a [u8]) -> Result<Module<'a>, Failure> {
        let mut module = Module {
            bytes,
            sections: HashMap::new(),
            customs: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            imported_functions: 0,
            imported_tables: 0,
            globals: 0,
            memories: Vec::new(),
            tables: Vec::new(),
            exports: HashSet::new(),
            start: None,
            bodies: Vec::new(),
            callees: Vec::new(),
            in_tables: Vec::new(),
            shares_references: false,
        };
        let mut validator = Validator::new_with_features(FEATURES);
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
                self.function(&mut module, function, body)?;
            } else {
                self.section(&mut module, payload)?;
            }
        }
        module.in_tables = self.in_tables.into_iter().collect();
        module.in_tables.sort_unstable();
        Ok(module)
    }

    fn section<'a>(&mut self, module: &mut Module<'a>, payload: Payload<'a>) -> Result<(), Failure> {
        if let Some((id, range)) = payload.as_section()
            && id != 0
        {
            module.sections.insert(id, range);
        }
        match payload {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err(Failure::Refused(Refusal::unsupported("a component, where a core module is expected")));
            }
            Payload::TypeSection(types) => {
                for group in types {
                    for ty in group?.into_types() {
                        let CompositeInnerType::Func(ty) = ty.composite_type.inner else { continue };
                        module.shares_references |= ty.params().iter().chain(ty.results()).any(is_function_reference);
                        let params = ty.params().len() as u32;
                        let next = self.signatures.len() as u32;
                        module.types.push((*self.signatures.entry(ty).or_insert(next), params));
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import?.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            module.functions.push(ty);
                            module.imported_functions += 1;
                        }
                        TypeRef::Global(global) => {
                            module.shares_references |= is_function_reference(&global.content_type);
                            module.globals += 1;
                        }
                        TypeRef::Table(_) => {
                            module.shares_references = true;
                            module.imported_tables += 1;
                        }
                        TypeRef::Memory(_) => {
                            return Err(Failure::Refused(Refusal::unsupported(
                                "it imports its memory: a module must define its own",
                            )));
                        }
                        TypeRef::Tag(_) => {}
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    module.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    module.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    module.memories.push(memory?);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    self.global_references |= is_function_reference(&global.ty.content_type);
                    self.constant(&global.init_expr)?;
                    module.globals += 1;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    module.exports.insert(export.name);
                    // The host may write what is exported. Which global it is does not matter.
                    module.shares_references |= match export.kind {
                        ExternalKind::Table => true,
                        ExternalKind::Global => self.global_references,
                        _ => false,
                    };
                }
            }
            Payload::StartSection { func, .. } => module.start = Some(func),
            Payload::ElementSection(elements) => {
                for element in elements {
                    match element?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                self.in_tables.insert(function?);
                            }
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                self.constant(&expression?)?;
                            }
                        }
                    }
                }
            }
            Payload::CustomSection(custom) if KEPT.contains(&custom.name()) => module.customs.push(custom.range()),
            _ => {}
        }
        Ok(())
    }

    /// Notes the functions that a constant expression refers to.
    fn constant(&mut self, expression: &ConstExpr<'_>) -> Result<(), Failure> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.in_tables.insert(function_index);
            }
        }
        Ok(())
    }

    /// Validates a function, and notes what it calls.
    fn function<'a>(
        &mut self,
        module: &mut Module<'a>,
        function: FuncToValidate<ValidatorResources>,
        body: FunctionBody<'a>,
    ) -> Result<(), Failure> {
        self.calls.clear();
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        reader.set_features(FEATURES);
        validator.read_locals(&mut reader)?;
        while !reader.eof() {
            let at = reader.original_position();
            reader.visit_operator(&mut validator.visitor(at))??;
            // Of the few operators that matter here the index comes right after the opcode.
            let mut immediates = BinaryReader::new(module.bytes.get(at + 1..).unwrap_or_default(), at + 1);
            match module.bytes.get(at).copied() {
                Some(op::CALL | op::RETURN_CALL) => self.calls.push(Callee::Function(immediates.read_var_u32()?)),
                Some(op::CALL_INDIRECT | op::RETURN_CALL_INDIRECT) => {
                    self.calls.push(Callee::Table(module.signature(immediates.read_var_u32()?)));
                }
                Some(op::REF_FUNC) => {
                    self.in_tables.insert(immediates.read_var_u32()?);
                }
                _ => {}
            }
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        self.allocations = validator.into_allocations();
        self.calls.sort_unstable();
        self.calls.dedup();
        module.callees.push(self.calls.as_slice().into());
        module.bodies.push(body);
        Ok(())
    }
}

fn is_function_reference(ty: &ValType) -> bool {
    matches!(ty, ValType::Ref(reference) if *reference != wasmparser::RefType::EXTERNREF)
}
