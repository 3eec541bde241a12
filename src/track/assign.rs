// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who goes with whom at the least total cost: the Hungarian method. Knows nothing of faces.

/// What is kept from one call to the next, so that nothing is allocated again.
#[derive(Clone, Debug, Default)]
pub(super) struct Assignment {
    /// Per column the row that it went to.
    pub(super) row_of: Vec<Option<usize>>,
    row_prices: Vec<f32>,
    column_prices: Vec<f32>,
    /// Per column: cheapest way to it, and the column before on that way; `None` is where the way starts.
    cheapest: Vec<f32>,
    before: Vec<Option<usize>>,
    visited: Vec<bool>,
}

impl Assignment {
    /// Gives each row one column at most and the other way round, so that the sum of the pairs' `costs` (row by row; infinite
    /// where a pair is out of the question), and of `limit` for each row without a column, is least. The result is
    /// in `row_of`.
    ///
    /// Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957; in this form Jonker and Volgenant, "A shortest
    /// augmenting path algorithm for dense and sparse linear assignment problems", Computing 38, 1987). Each row has a
    /// column of its own beside the real ones, at the price of `limit`: to have none.
    pub(super) fn solve(&mut self, costs: &[f32], columns: usize, limit: f32) {
        let rows = costs.len().checked_div(columns).unwrap_or(0);
        let all = columns + rows;
        let cost = |row: usize, column: usize| match column.checked_sub(columns) {
            None => costs[row * columns + column],
            Some(own) if own == row => limit,
            Some(_) => f32::INFINITY,
        };
        refill(&mut self.row_of, all, None);
        refill(&mut self.row_prices, rows, 0.0);
        refill(&mut self.column_prices, all, 0.0);
        for new in 0..rows {
            refill(&mut self.cheapest, all, f32::INFINITY);
            refill(&mut self.before, all, None);
            refill(&mut self.visited, all, false);
            let (mut row, mut at) = (new, None);
            let free = loop {
                if let Some(column) = at {
                    self.visited[column] = true;
                }
                let (mut step, mut next) = (f32::INFINITY, None);
                for column in (0..all).filter(|&c| !self.visited[c]) {
                    let way = cost(row, column) - self.row_prices[row] - self.column_prices[column];
                    if way < self.cheapest[column] {
                        self.cheapest[column] = way;
                        self.before[column] = at;
                    }
                    if self.cheapest[column] < step {
                        step = self.cheapest[column];
                        next = Some(column);
                    }
                }
                self.row_prices[new] += step;
                for column in 0..all {
                    if !self.visited[column] {
                        self.cheapest[column] -= step;
                    } else if let Some(owner) = self.row_of[column] {
                        self.row_prices[owner] += step;
                        self.column_prices[column] -= step;
                    }
                }
                // The new row's own column is always within reach.
                let Some(column) = next else { break None };
                at = next;
                match self.row_of[column] {
                    Some(owner) => row = owner,
                    None => break at,
                }
            };
            // Everybody on the way moves up by one.
            let mut to = free;
            while let Some(column) = to {
                let from = self.before[column];
                self.row_of[column] = match from {
                    Some(from) => self.row_of[from],
                    None => Some(new),
                };
                to = from;
            }
        }
        self.row_of.truncate(columns);
    }
}

fn refill<T: Clone>(list: &mut Vec<T>, n: usize, value: T) {
    list.clear();
    list.resize(n, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: f32 = 1.0;

    /// The least total by trying everything.
    fn least(costs: &[f32], columns: usize, row: usize, taken: u32) -> f32 {
        if (row + 1) * columns > costs.len() {
            return 0.0;
        }
        let without = LIMIT + least(costs, columns, row + 1, taken);
        (0..columns)
            .filter(|c| taken & (1 << c) == 0)
            .map(|c| costs[row * columns + c] + least(costs, columns, row + 1, taken | (1 << c)))
            .fold(without, f32::min)
    }

    #[test]
    fn two_middling_pairs_do_not_break_up_a_perfect_one() {
        let mut a = Assignment::default();
        a.solve(&[0.0, 0.9, 0.9, f32::INFINITY], 2, 0.85);
        assert_eq!(a.row_of, [Some(0), None]);
        a.solve(&[0.0, 0.4, 0.4, f32::INFINITY], 2, 0.85);
        assert_eq!(a.row_of, [Some(1), Some(0)]);
    }

    #[test]
    fn nobody_to_assign_is_no_trouble() {
        let mut a = Assignment::default();
        a.solve(&[], 0, LIMIT);
        a.solve(&[], 3, LIMIT);
        assert_eq!(a.row_of, [None; 3]);
    }

    proptest! {
        #[test]
        fn the_total_is_the_least_there_is(
            columns in 1usize..6,
            mut costs in prop::collection::vec(prop_oneof![3 => 0f32..2.0, 1 => Just(f32::INFINITY)], 0..30),
        ) {
            costs.truncate(costs.len() / columns * columns);
            let rows = costs.len() / columns;
            // Kept from a call of another size.
            let mut a = Assignment::default();
            a.solve(&[0.0; 6], 3, LIMIT);
            a.solve(&costs, columns, LIMIT);
            prop_assert_eq!(a.row_of.len(), columns);
            let pairs: Vec<_> = a.row_of.iter().enumerate().filter_map(|(c, r)| r.map(|r| (r, c))).collect();
            for row in 0..rows {
                prop_assert!(pairs.iter().filter(|p| p.0 == row).count() <= 1);
            }
            let total: f32 = pairs.iter().map(|(r, c)| costs[r * columns + c]).sum();
            let total = total + LIMIT * (rows - pairs.len()) as f32;
            prop_assert!((total - least(&costs, columns, 0, 0)).abs() < 1e-4);
        }
    }
}
