//! The meta commands: what the recorded dialogues do not pin down, and what matters most.

mod support;

use support::play;

#[test]
fn a_stale_item_is_won_once() {
    play(&[
        ("set k 0 0 1 | a", "STORED"),
        ("md k I T30", "HD"),
        ("mg k v t", "VA 1 t30 X W | a"),
        ("mg k v t", "VA 1 t30 Z X | a"),
        ("get k", "VALUE k 0 1 | a | END"),
        ("md k I", "HD"),
        ("mg k", "HD X W"),
        ("ms k 1 | b", "HD"),
        ("mg k v", "VA 1 | b"),
    ]);
}

#[test]
fn the_first_look_at_a_stale_item_shows_what_was_before_it() {
    play(&[
        ("set k 0 0 1 | a", "STORED"),
        ("md k I", "HD"),
        ("(wait 5000)", ""),
        ("mg k h l", "HD h0 l5 X W"),
        ("mg k h l", "HD h1 l0 Z X"),
    ]);
}

#[test]
fn a_miss_is_vivified_and_won_once() {
    play(&[
        ("mg k N30 v t", "VA 0 t30 W | "),
        ("mg k N30 v t", "VA 0 t30 Z | "),
        ("ms k 1 T60 | a", "HD"),
        ("mg k N30 v t", "VA 1 t60 | a"),
        ("(wait 60000)", ""),
        ("mg k", "EN"),
    ]);
}

#[test]
fn an_item_near_its_end_is_won_for_recache_once() {
    play(&[
        ("set k 0 20 1 | a", "STORED"),
        ("mg k R20 t", "HD t20"),
        ("(wait 1000)", ""),
        ("mg k R20 t", "HD t19 W"),
        ("mg k R20 t", "HD t19 Z"),
        ("set forever 0 0 1 | a", "STORED"),
        ("mg forever R2147483647", "HD"),
    ]);
}

#[test]
fn u_leaves_no_trace() {
    play(&[
        ("set k 0 0 1 | a", "STORED"),
        ("(wait 3000)", ""),
        ("mg k u h l", "HD h0 l3"),
        ("mg k h l", "HD h0 l3"),
        ("(wait 2000)", ""),
        ("mg k u h l T30", "HD h1 l2"),
        ("mg k u h l t", "HD h1 l2 t30"),
    ]);
}

#[test]
fn the_value_is_left_out_if_the_cas_value_is_known() {
    play(&[
        ("ms k 1 E50 | a", "HD"),
        ("mg k C50 v c", "HD c50"),
        ("mg k C51 v c", "VA 1 c50 | a"),
    ]);
}

#[test]
fn an_older_cas_value_with_i_stores_and_marks_as_stale() {
    play(&[
        ("ms k 1 E100 T60 | a", "HD"),
        ("ms k 1 C101 I | b", "EX"),
        ("ms k 1 C99 | b", "EX"),
        ("ms k 1 C99 I F7 E150 | b", "HD"),
        ("mg k v c f t", "VA 1 c150 f7 t60 X W | b"),
        ("ms k 1 C150 I | c", "HD"),
        ("mg k v t", "VA 1 t-1 | c"),
    ]);
}

#[test]
fn arithmetic_creates_counts_and_compares() {
    play(&[
        ("ma n", "NF"),
        ("ma n N30 J13 D5 v t", "VA 2 t30 | 13"),
        ("ma n N30 t", "HD t30"),
        ("ma n D5 v", "VA 2 | 19"),
        ("ma n MD D20 v", "VA 1 | 0"),
        ("ma n C1", "EX"),
        ("ma n E77 D100 c v", "VA 3 c77 | 100"),
        ("ma n C77 q", ""),
        ("ma miss q", "NF"),
    ]);
}

#[test]
fn what_t_and_e_set_survives_a_number_that_grows() {
    play(&[
        ("set n 0 0 1 | 9", "STORED"),
        ("ma n T30 E500", "HD"),
        ("mg n v t c", "VA 2 t30 c500 | 10"),
    ]);
}

#[test]
fn quiet_hides_the_nominal_answer_only() {
    play(&[
        ("mg k q", ""),
        ("ms k 1 q | 5", ""),
        ("mg k q v", "VA 1 | 5"),
        ("ms k 1 q ME | 5", "NS"),
        ("ms k 1 q C99 | 5", "EX"),
        ("ma k q v", ""),
        ("md k q C99", "EX"),
        ("md k q", ""),
        ("md k q", "NF"),
        ("ma k q", "NF"),
    ]);
}

#[test]
fn a_base64_key_is_the_key_that_it_decodes_to() {
    play(&[
        ("ms Zm9v 1 b k | a", "HD kZm9v b"),
        ("get foo", "VALUE foo 0 1 | a | END"),
        ("mg foo k", "HD kZm9v b"),
        ("me foo", "ME Zm9v exp=-1 la=0 cas=1 fetch=yes cls=1 size=27"),
        ("md Zm9v b k", "HD kZm9v b"),
        ("mg Zm9v b k", "EN kZm9v b"),
    ]);
}

#[test]
fn a_key_that_would_break_the_line_is_always_shown_in_base64() {
    // The key is CR LF; an append through it makes memcached forget that it came in base64.
    play(&[
        ("ms DQo= 1 b | a", "HD"),
        ("ms DQo= 1 b MA | b", "HD"),
        ("mg DQo= b k v", "VA 2 kDQo= b | ab"),
        ("me DQo= b k", "ME DQo= exp=-1 la=0 cas=2 fetch=yes cls=1 size=27"),
        ("stats cachedump 1 0", "END"),
    ]);
}

#[test]
fn what_one_dialect_writes_the_other_reads() {
    play(&[
        ("ms k 2 F5 T100 | hi", "HD"),
        ("gets k", "VALUE k 5 2 1 | hi | END"),
        ("set k 6 50 3 | abc", "STORED"),
        ("mg k v f t c", "VA 3 f6 t50 c2 | abc"),
        ("cas k 1 0 1 2 | z", "STORED"),
        ("mg k c t", "HD c3 t-1"),
    ]);
}
