//! Values against the types that are wanted where they stand.

use std::collections::BTreeSet;

use super::Failed;
use super::document::{Child, Type, Value, VariableDefinition, kind};
use super::query::{Walk, refused};
use super::schema::Whole;
use super::schema_document::FieldDefinition;

/// Scalars whose values are looked at.
const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

impl FieldDefinition {
    /// Whether it has a default, and not null.
    pub(super) fn has_default(&self) -> bool {
        let default = self.default_value.as_ref();
        default.is_some_and(|value| value.kind != kind::NULL)
    }
}

impl<'s, 'a> Walk<'_, 's, 'a> {
    /// A value where `wanted` stands, which `has_default`; or where nobody knows what is wanted.
    pub(super) fn value(
        &mut self,
        value: &'s Value,
        wanted: Option<&'s Type>,
        has_default: bool,
    ) -> Result<(), Failed> {
        self.context.steps.take(1)?;
        let found = wanted.and_then(|wanted| self.context.schema.of(wanted));
        match value.kind {
            kind::VARIABLE => return self.variable(value, wanted, has_default),
            kind::OBJECT => self.object(value, found)?,
            kind::LIST => {
                let inside = wanted.and_then(|wanted| wanted.elem.as_deref());
                for child in &value.children {
                    self.value(&child.value, inside, false)?;
                }
            }
            _ => {}
        }
        match (wanted, found) {
            (Some(wanted), Some(found)) => self.fits(value, wanted, found),
            _ => Ok(()),
        }
    }

    fn defined(&self, name: &str) -> Option<&'s VariableDefinition> {
        let mut all = self.operation?.variable_definitions.iter();
        all.find(|variable| variable.variable == name)
    }

    fn variable(
        &mut self,
        value: &'s Value,
        wanted: Option<&Type>,
        has_default: bool,
    ) -> Result<(), Failed> {
        let Some(operation) = self.operation else {
            return Ok(());
        };
        let name = value.raw.as_str();
        self.context
            .steps
            .take(operation.variable_definitions.len())?;
        let Some(variable) = self.defined(name) else {
            return refused(format!("variable `${name}` is not defined"));
        };
        self.used.insert(name);
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let default = variable.default_value.as_ref();
        let is_never_null = default.is_some_and(|value| value.kind != kind::NULL) || has_default;
        let mut wanted = wanted.clone();
        wanted.non_null &= !is_never_null;
        if !variable.r#type.fits(&wanted) {
            return refused(format!(
                "variable `${name}` is of another type than is expected"
            ));
        }
        // What it stands for by default is looked at like what is written.
        match (self.context.schema.of(&wanted), default) {
            (Some(found), Some(default)) if !is_custom(found) => self.in_range(default),
            _ => Ok(()),
        }
    }

    fn object(&mut self, value: &'s Value, found: Option<&'s Whole<'a>>) -> Result<(), Failed> {
        let mut seen = BTreeSet::new();
        for Child { name, value, .. } in &value.children {
            let field = found.and_then(|found| found.field(name));
            let wanted = field.map(|field| &field.r#type);
            self.value(
                value,
                wanted,
                field.is_some_and(FieldDefinition::has_default),
            )?;
            if !seen.insert(name) {
                return refused(format!("there can be only one input field named `{name}`"));
            }
        }
        Ok(())
    }

    fn fits(&self, value: &Value, wanted: &Type, found: &Whole<'_>) -> Result<(), Failed> {
        if value.kind == kind::NULL {
            if wanted.non_null {
                return refused(format!("{} must not be null", found.name));
            }
            return Ok(());
        }
        if is_custom(found) {
            return Ok(());
        }
        self.in_range(value)?;
        let may_be: &[&str] = match value.kind {
            kind::INT => &["Int", "Float", "ID"],
            kind::FLOAT => &["Float"],
            kind::STRING | kind::BLOCK => &["String", "ID"],
            kind::BOOLEAN => &["Boolean"],
            _ => &[],
        };
        let fits = match value.kind {
            kind::LIST => wanted.elem.is_some(),
            kind::ENUM => {
                let is_value = found.values.iter().any(|known| known.name == value.raw);
                self.context.steps.take(found.values.len())?;
                found.kind == "ENUM" && is_value
            }
            kind::OBJECT => return self.object_fits(value, found),
            kind::STRING | kind::BLOCK if found.kind == "ENUM" => false,
            _ => may_be.contains(&found.name),
        };
        if fits {
            return Ok(());
        }
        refused(format!("expected a value of type {}", found.name))
    }

    fn object_fits(&self, value: &Value, found: &Whole<'_>) -> Result<(), Failed> {
        let name = found.name;
        let children = &value.children;
        self.context
            .steps
            .take((children.len() + 1) * (found.fields.len() + 1))?;
        for field in &found.fields {
            let is_given = children.iter().any(|child| child.name == field.name);
            if field.r#type.non_null && !is_given && field.default_value.is_none() {
                return refused(format!("field `{name}.{}` was not provided", field.name));
            }
        }
        if found
            .directives
            .iter()
            .any(|directive| directive.name == "oneOf")
        {
            self.one_of(children, name)?;
        }
        match children
            .iter()
            .find(|child| found.field(&child.name).is_none())
        {
            Some(child) => refused(format!("field `{}` is not defined by {name}", child.name)),
            None => Ok(()),
        }
    }

    /// That one field is given, and surely not null.
    fn one_of(&self, children: &[Child], name: &str) -> Result<(), Failed> {
        let [Child { value, .. }] = children else {
            return refused(format!("{name} must specify exactly one key"));
        };
        let may_be_null = match value.kind {
            kind::NULL => true,
            // Where there is no operation, each that spreads the fragment has been asked.
            kind::VARIABLE => self
                .defined(&value.raw)
                .is_some_and(|known| !known.r#type.non_null),
            _ => false,
        };
        if may_be_null {
            return refused(format!("the field of {name} must be non-null"));
        }
        Ok(())
    }

    /// That each number within fits the machine's own, and so does what variables stand for by default.
    fn in_range(&self, value: &Value) -> Result<(), Failed> {
        self.context.steps.take(1)?;
        let fits = match value.kind {
            kind::INT => value.raw.parse::<i64>().is_ok(),
            kind::FLOAT => value.raw.parse::<f64>().is_ok_and(f64::is_finite),
            kind::LIST | kind::OBJECT => {
                for child in &value.children {
                    self.in_range(&child.value)?;
                }
                true
            }
            kind::VARIABLE => {
                let default = self
                    .defined(&value.raw)
                    .and_then(|known| known.default_value.as_ref());
                return default.map_or(Ok(()), |default| self.in_range(default));
            }
            _ => true,
        };
        if fits {
            return Ok(());
        }
        refused(format!("{} is out of range", value.raw))
    }
}

fn is_custom(found: &Whole<'_>) -> bool {
    found.kind == "SCALAR" && !SCALARS.contains(&found.name)
}
