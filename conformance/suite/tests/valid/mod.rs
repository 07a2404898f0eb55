//! What this crate writes, held against the schemas that it publishes.

use serde_json::{Value, json};

/// Asserts that a document is as the schema says, and that the schema says something of every one of its fields.
pub(crate) fn assert_valid(schema: &str, pointer: &str, document: &Value) {
    let mut strict: Value = serde_json::from_str(schema).unwrap();
    refuse_unknown(&mut strict);
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("urn:mcspec:tested", strict).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler
        .compile(&format!("urn:mcspec:tested{pointer}"), &mut schemas)
        .unwrap();
    if let Err(error) = schemas.validate(document, index) {
        panic!("{error:#}");
    }
}

/// A reader ignores fields that it does not know; a test of who writes them must not.
fn refuse_unknown(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) && !fields.contains_key("$ref") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.remove("$id");
            fields.values_mut().for_each(refuse_unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_unknown),
        _ => {}
    }
}
