//! Alternatives that cannot be told apart without a fence.

use super::{Alternative, Answer, Pattern, Piece};

/// Whether one alternative is the beginning of another: only a fence shows then that the shorter was all.
pub fn need_fence(alternatives: &[Alternative]) -> bool {
    let answers: Vec<&[Piece]> = alternatives
        .iter()
        .filter_map(|alternative| match &alternative.answer {
            Answer::Bytes(Pattern { pieces, .. }) => Some(pieces.as_slice()),
            Answer::Silent => Some(&[][..]),
            Answer::Closed => None,
        })
        .collect();
    answers
        .iter()
        .enumerate()
        .any(|(i, a)| answers.iter().enumerate().any(|(j, b)| i != j && begins(a, b)))
}

/// Whether what `long` describes may begin with what `short` describes.
fn begins(short: &[Piece], long: &[Piece]) -> bool {
    let Some((last, before)) = short.split_last() else {
        return true;
    };
    if !long.starts_with(before) {
        return false;
    }
    match (last, long.get(before.len())) {
        (Piece::Literal(a), Some(Piece::Literal(b))) => b.starts_with(a),
        (a, Some(b)) => a == b,
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, parse};

    fn needs(alternatives: &str) -> bool {
        let text = format!("section a/b\ncase c DEFACTO\n  > x\n  < any\n{alternatives}");
        match &parse("f", &text).unwrap().cases[0].steps[1].action {
            Action::ReceiveAny(alternatives) => super::need_fence(alternatives),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_beginning_of_another_answer_needs_a_fence() {
        assert!(needs("    ..1.6.39  ERROR | ERROR\n    1.6.40..  ERROR\n"));
        assert!(needs("    ..1.6.39  ERROR\n    1.6.40..  (silent)\n"));
        assert!(needs("    ..1.6.39  HD {k}\n    1.6.40..  HD {k}\n"));
        assert!(!needs("    ..1.6.39  ERROR\n    1.6.40..  CLIENT_ERROR x\n"));
        assert!(!needs("    ..1.6.39  ERROR\n    1.6.40..  (closed)\n"));
        assert!(!needs("    ..1.6.39  HD {k}\n    1.6.40..  HD {k1}\n"));
    }
}
