//! Published test suites against `edgeward_core`, with the signature checks of the PDP and of the
//! filter; against the PDP's engine, and over the wire against the PDP. Prints one table and writes it to `target/conformance.json`.
//!
//! What this is not: a second opinion on what is right. A case's own label decides; where Edgeward
//! refuses on purpose what a label accepts, the case is counted as skipped, with the reason, after
//! it was seen to be refused.
//!
//! The data is nobody's of this project: `$EDGEWARD_CONFORMANCE`, by default
//! `../shared/conformance`. A suite whose data is absent says so and passes.

mod authzen;
mod cookbook;
mod data;
mod istio;
mod json_parsing;
mod jwt_svid;
mod oidc_subjects;
mod opa_rego;
mod page;
mod spiffe;
mod svid_chains;
mod table;
mod verdict;
mod wycheproof_jose;
mod wycheproof_primitives;

use data::Data;
use table::Table;

#[test]
fn every_published_case_ends_as_its_label_says_or_in_a_refusal_with_a_reason() {
    let mut table = Table::default();
    if let Some(data) = Data::of("wycheproof", &mut table) {
        table.extend(wycheproof_jose::run(&data));
        table.extend(wycheproof_primitives::run(&data));
    }
    if let Some(data) = Data::of("jose-cookbook", &mut table) {
        table.extend(cookbook::run(&data));
    }
    if let Some(data) = Data::of("spiffe", &mut table) {
        table.extend(spiffe::run(&data));
        table.extend(jwt_svid::run(&data));
    }
    if let Some(data) = Data::of("istio", &mut table) {
        table.extend(istio::run(&data));
    }
    if let Some(data) = Data::of("json-parsing", &mut table) {
        table.extend(json_parsing::run(&data));
    }
    if let Some(data) = Data::of("authzen", &mut table) {
        table.extend(authzen::run(&data));
    }
    if let Some(data) = Data::of("oidc-subjects", &mut table) {
        table.extend(oidc_subjects::run(&data));
    }
    let rego = Data::of("opa-rego", &mut table).map(|data| opa_rego::run(&data));
    let folders = rego.map(|(suite, folders)| {
        table.extend(vec![suite]);
        folders
    });
    let page = page::check(&table, folders.as_ref());
    table.extend(vec![page]);
    print!("{table}");
    table.write();
    assert_eq!(table.failures(), 0, "see the table");
}
