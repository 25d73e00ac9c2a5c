use super::*;

fn conditions(list: &[(&str, &str, &[&str])]) -> AdvancedEventSelector {
    let field_selectors = list
        .iter()
        .map(|(field, operator, values)| {
            let values: BTreeSet<String> = values.iter().map(|one| (*one).to_owned()).collect();
            let mut one = FieldSelector { field: (*field).to_owned(), ..Default::default() };
            match *operator {
                "=" => one.equals = values,
                "!=" => one.not_equals = values,
                "^" => one.starts_with = values,
                "!^" => one.not_starts_with = values,
                "$" => one.ends_with = values,
                _ => one.not_ends_with = values,
            }
            one
        })
        .collect();
    AdvancedEventSelector { name: None, field_selectors }
}

fn basic(kind: ReadWriteType, management: bool, excluded: &[&str]) -> EventSelector {
    EventSelector {
        read_write_type: kind,
        include_management_events: management,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: excluded.iter().map(|one| (*one).to_owned()).collect(),
    }
}

fn of(list: &[EventSelector]) -> Selectors {
    Selectors::Basic(list.iter().cloned().collect())
}

const MANAGEMENT: (&str, &str, &[&str]) = ("eventCategory", "=", &["Management"]);

type Conditions = &'static [(&'static str, &'static str, &'static [&'static str])];

fn advanced(list: &[Conditions]) -> Selectors {
    Selectors::Advanced(list.iter().map(|one| conditions(one)).collect())
}

fn words(selectors: &Selectors) -> String {
    selectors.missing().map_or_else(|error| format!("? {error}"), |gap| gap.words().join("; "))
}

#[test]
fn basic_selectors() {
    use ReadWriteType::{All, ReadOnly, WriteOnly};
    let kms = "kms.amazonaws.com";
    let cases: [(&[EventSelector], &str); 8] = [
        (&[basic(All, true, &[])], ""),
        (&[basic(All, false, &[])], "all management events"),
        (&[basic(ReadOnly, true, &[])], "writes"),
        (&[basic(WriteOnly, true, &[])], "reads"),
        (&[basic(ReadOnly, true, &[]), basic(WriteOnly, true, &[])], ""),
        (&[basic(All, true, &[kms])], "all management events of kms.amazonaws.com"),
        // What one leaves out, another may record.
        (&[basic(All, true, &[kms]), basic(WriteOnly, true, &[])], "reads of kms.amazonaws.com"),
        (&[basic(ReadOnly, true, &[kms])], "all management events of kms.amazonaws.com; writes"),
    ];
    for (selectors, expected) in cases {
        let mut left: Vec<String> = expected.split("; ").map(str::to_owned).collect();
        let mut got: Vec<String> = words(&of(selectors)).split("; ").map(str::to_owned).collect();
        left.sort();
        got.sort();
        assert_eq!(got, left, "{selectors:?}");
    }
}

#[test]
fn advanced_selectors_with_every_operator() {
    let cases: [(&[Conditions], &str); 14] = [
        (&[&[MANAGEMENT]], ""),
        (&[], "all management events"),
        (&[&[("eventCategory", "=", &["Data"])]], "all management events"),
        (&[&[MANAGEMENT, ("readOnly", "=", &["true"])]], "writes"),
        (&[&[MANAGEMENT, ("readOnly", "=", &["true", "false"])]], ""),
        (
            &[
                &[MANAGEMENT, ("readOnly", "=", &["true"])],
                &[MANAGEMENT, ("readOnly", "=", &["false"])],
            ],
            "",
        ),
        (
            &[&[MANAGEMENT, ("eventSource", "!=", &["kms.amazonaws.com"])]],
            "all management events of kms.amazonaws.com",
        ),
        (
            &[&[MANAGEMENT, ("eventSource", "=", &["kms.amazonaws.com"])]],
            "all management events of sources: all others",
        ),
        (
            &[
                &[MANAGEMENT, ("eventSource", "=", &["kms.amazonaws.com"])],
                &[MANAGEMENT, ("eventSource", "!=", &["kms.amazonaws.com"])],
            ],
            "",
        ),
        (
            &[&[MANAGEMENT, ("eventSource", "!^", &["iam"])]],
            "all management events of sources: those that start with iam",
        ),
        (
            &[
                &[MANAGEMENT, ("eventSource", "^", &["iam"])],
                &[MANAGEMENT, ("eventSource", "!^", &["ia"])],
            ],
            "all management events of sources: those that start with ia",
        ),
        (
            &[&[MANAGEMENT, ("eventSource", "!$", &[".com"])]],
            "all management events of sources: those that end with .com",
        ),
        (
            &[&[MANAGEMENT, ("eventName", "!=", &["StopLogging"])]],
            "all management events where eventName is StopLogging",
        ),
        (
            &[&[
                MANAGEMENT,
                ("readOnly", "=", &["false"]),
                ("userIdentity.arn", "!$", &["/mallory"]),
            ]],
            "reads; all management events where userIdentity.arn is those that end with /mallory",
        ),
    ];
    for (selectors, expected) in cases {
        let mut left: Vec<&str> = expected.split("; ").collect();
        let got = words(&advanced(selectors));
        let mut got: Vec<&str> = got.split("; ").collect();
        left.sort_unstable();
        got.sort_unstable();
        assert_eq!(got, left, "{selectors:?}");
    }
}

#[test]
fn what_is_not_understood_is_neither_recorded_nor_left_out() {
    let strange: Conditions = &[MANAGEMENT, ("vpcEndpointId", "!=", &["vpce-1"])];
    assert!(words(&advanced(&[strange])).starts_with("? "), "it may leave out something");
    assert_eq!(words(&advanced(&[strange, &[MANAGEMENT]])), "", "another records everything");
    let reads: Conditions =
        &[MANAGEMENT, ("readOnly", "=", &["true"]), ("vpcEndpointId", "!=", &["vpce-1"])];
    assert_eq!(words(&advanced(&[reads])), "writes", "whatever it means");
    let values: Vec<String> = (0..3000).map(|one| one.to_string()).collect();
    let many = ["eventSource", "eventName"].map(|field| FieldSelector {
        field: field.to_owned(),
        not_equals: values.iter().cloned().collect(),
        ..FieldSelector::default()
    });
    let mut one = conditions(&[MANAGEMENT]);
    one.field_selectors.extend(many);
    assert!(words(&Selectors::Advanced(vec![one])).starts_with("? "));
}

#[test]
fn sources_that_are_left_out() {
    use ReadWriteType::{All, WriteOnly};
    let sources = |selectors: &[EventSelector]| -> Vec<String> {
        of(selectors).missing().into_iter().flat_map(|gap| gap.sources()).collect()
    };
    assert!(sources(&[basic(All, true, &[])]).is_empty());
    assert!(sources(&[basic(WriteOnly, true, &[])]).is_empty(), "reads are no source");
    assert_eq!(sources(&[basic(All, false, &[])]), ["every source"]);
    for kind in [All, WriteOnly] {
        let one = basic(kind, true, &["kms.amazonaws.com"]);
        assert_eq!(sources(&[one]), ["kms.amazonaws.com"]);
    }
    let twice = [basic(All, true, &["kms.amazonaws.com"]), basic(All, true, &[])];
    assert!(sources(&twice).is_empty());
}

#[test]
fn selectors_of_both_sorts_that_mean_the_same() {
    let every = advanced(&[&[MANAGEMENT]]);
    assert!(Selectors::default_selector().mean_the_same_as(&every));
    assert!(every.mean_the_same_as(&Selectors::default_selector()));
    let writes = of(&[basic(ReadWriteType::WriteOnly, true, &[])]);
    assert!(writes.mean_the_same_as(&advanced(&[&[MANAGEMENT, ("readOnly", "=", &["false"])]])));
    assert!(!writes.mean_the_same_as(&every));
    let and_data = advanced(&[&[MANAGEMENT], &[("eventCategory", "=", &["Data"])]]);
    assert!(!and_data.mean_the_same_as(&every));
    assert!(and_data.record_more_than(&every) && !every.record_more_than(&and_data));
    assert!(every.record_more_than(&writes) && !writes.record_more_than(&every));
}
