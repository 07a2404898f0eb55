//! Reads the fields of a body, and finds everything that is wrong with them.

use std::fmt;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::{Fault, Kind, Place, Problem};
use crate::dial::{Level, Name};

/// Reads a body that is announced as JSON.
pub(super) async fn body(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "send the body with `Content-Type: application/json`",
        ));
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            Kind::BodyTooLarge,
            format!("a body may have at most {bytes_max} bytes"),
        )),
        Err(_) => Err(Problem::new(Kind::MalformedBody, "the body broke off; send it whole")),
    }
}

/// The fields of a JSON object, and what is wrong with them so far.
#[derive(Debug)]
pub(super) struct Fields {
    left: Vec<(String, Box<RawValue>)>,
    faults: Vec<Fault>,
}

impl Fields {
    /// Takes the object apart.
    pub(super) fn parse(body: &[u8]) -> Result<Fields, Problem> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let left = json.deserialize_map(Pairs).and_then(|left| json.end().map(|()| left));
        let left = left.map_err(|error| Problem::new(Kind::MalformedBody, format!("not a JSON object: {error}")))?;
        Ok(Fields {
            left,
            faults: Vec::new(),
        })
    }

    /// The field `name`, a name, which must be there.
    pub(super) fn name(&mut self) -> Option<Name> {
        let text: String = self.required("name", "a string")?;
        Name::new(text)
            .map_err(|invalid| self.fault("name", invalid.to_string()))
            .ok()
    }

    /// The field `level`, which must be there.
    pub(super) fn level(&mut self) -> Option<Level> {
        let number = self.required("level", "a number from 0 to 100")?;
        self.check_level(number)
    }

    /// The field `level`, or the lowest level if it is not there.
    pub(super) fn level_or_min(&mut self) -> Option<Level> {
        match self.take("level") {
            None => Some(Level::MIN),
            Some(raw) => {
                let number = self.typed("level", "a number from 0 to 100", &raw)?;
                self.check_level(number)
            }
        }
    }

    /// A field of any type, which must be there.
    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<T> {
        match self.take(name) {
            Some(raw) => self.typed(name, expected, &raw),
            None => {
                self.fault(name, format!("is missing; it must be {expected}"));
                None
            }
        }
    }

    /// The values, if nothing was wrong with any of them and no field is left over.
    pub(super) fn finish<T>(mut self, values: Option<T>) -> Result<T, Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            self.fault(&name, "is not a field of this request, or is there twice".to_owned());
        }
        match values {
            Some(values) if self.faults.is_empty() => Ok(values),
            _ => Err(Problem::of_fields(Kind::InvalidField, self.faults)),
        }
    }

    fn check_level(&mut self, number: f64) -> Option<Level> {
        Level::new(number)
            .map_err(|invalid| self.fault("level", invalid.to_string()))
            .ok()
    }

    fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let index = self.left.iter().position(|(field, _)| field == name)?;
        Some(self.left.remove(index).1)
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, expected: &str, raw: &RawValue) -> Option<T> {
        let value = serde_json::from_str(raw.get());
        value.map_err(|_| self.fault(name, format!("must be {expected}"))).ok()
    }

    fn fault(&mut self, name: &str, detail: String) {
        // RFC 6901, section 3: what a pointer has a meaning for is written otherwise.
        let token = name.replace('~', "~0").replace('/', "~1");
        self.faults.push(Fault {
            place: Place::Pointer(format!("#/{token}")),
            detail,
        });
    }
}

/// Collects the pairs of an object as they come, two of one name too.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
