use super::*;
use crate::traces::sample::{considered, first, now, record, row};
use crate::traces::{Comparison, ReplayOf};

#[test]
fn a_list_is_one_line_per_trace() {
    let rows = [
        row(1, "what does\ndelivery cost?", Some("abstained")),
        row(2, "delivery zongo", None),
    ];
    insta::assert_snapshot!(list(&rows, now()), @r"
    00000000-0000-0000-0000-000000000001  7 min ago     whatsapp    abstained      41 ms  what does delivery cost?
    00000000-0000-0000-0000-000000000002  7 min ago     search      search         41 ms  delivery zongo
    ");
}

#[test]
fn a_trace_is_told_from_the_question_to_the_time() {
    insta::assert_snapshot!(whole(&row(2, "delivery zongo", None), &first()));
}

#[test]
fn a_replay_says_where_every_passage_went() {
    let mut again = record(vec![
        considered(12, 2, Some((1, 3.5)), 0.75, "Delivery to Ho costs GHS 30."),
        considered(11, 2, None, 0.5, "Delivery to Tamale costs GHS 50."),
    ]);
    // the row is the passage's place in its table, whatever its chunk
    if let Some(search) = &mut again.search {
        search.candidates[0].row = Some(2);
    }
    again.replay = Some(ReplayOf {
        trace: Uuid::from_u128(2),
        against: Against::Now,
        missing: 0,
        index_version: None,
    });
    let told = Replayed {
        trace_id: Some(Uuid::from_u128(7)),
        comparison: Comparison::new(&first(), &again),
        record: again,
        settings_version: 4,
        missing: 1,
    };
    insta::assert_snapshot!(replayed(&told, Against::Now), @r"
    asked again on what is live now, with settings 4
    1 version cannot be searched any more: deleted since
    other passages

        2 → 1   ▲1    prices.csv (version 1 → 2, row 2)
          Delivery to Ho costs GHS 30.
        – → 2   new   prices.csv (version 2, row 11)
          Delivery to Tamale costs GHS 50.
        1 → –   gone  prices.csv (version 1, row 1)
          Delivery to Tamale costs GHS 45.

    trace 00000000-0000-0000-0000-000000000007
    ");
}
