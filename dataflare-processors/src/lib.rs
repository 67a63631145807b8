//! The processors of DataFlare: one file each, one row each in [`COMPONENTS`].

mod filter;
mod map;
mod reject;
mod sql;

use dataflare_core::component::Component;

/// The processors, by name.
pub const COMPONENTS: &[&Component] = &[&filter::COMPONENT, &map::COMPONENT, &sql::COMPONENT];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};
    use dataflare_core::component::{Build, Input, Options};

    use super::*;

    #[test]
    fn components_are_sorted_and_every_example_plans() {
        assert!(COMPONENTS.windows(2).all(|pair| pair[0].name < pair[1].name));
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("status", DataType::Utf8, true),
            Field::new("country", DataType::Utf8, true),
            Field::new("amount", DataType::Float64, true),
        ]));
        for component in COMPONENTS {
            for entry in component.roles {
                let value = serde_json::from_str(&example_json(component.name)).unwrap();
                let options = Options { component: "it".into(), value };
                let Build::Processor(build) = entry.build else { panic!("a processor") };
                let input = Input { name: "orders".into(), schema: schema.clone(), bounded: true };
                build(&options, &[input])
                    .unwrap_or_else(|problems| panic!("{}: {problems:?}", component.name));
            }
        }
    }

    /// The examples as JSON; that they are the same YAML is checked where YAML is read.
    fn example_json(name: &str) -> String {
        match name {
            "filter" => r#"{"where": "status = 'paid'"}"#,
            "map" => r#"{"select": ["id", {"total": "CAST(amount AS DECIMAL(18,2)) * 1.19"}]}"#,
            _ => r#"{"query": "SELECT country, sum(amount) AS total FROM orders GROUP BY country"}"#,
        }
        .to_owned()
    }
}
