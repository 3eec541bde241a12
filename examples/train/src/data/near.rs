// SPDX-License-Identifier: MIT OR Apache-2.0
//! Perceptual hashes that are near each other, among many. Knows bits only.

use liveness::dataset::hash::Hash;

/// Parts of a hash, of 16 bits each. Of two hashes that differ in at most `r` bits, one part differs in at most `r / 4`: so only
/// hashes with such a part are compared (Norouzi, Punjani, Fleet, *Fast Search in Hamming Space with Multi-Index Hashing*, CVPR 2012).
const PARTS: usize = 4;

/// Bits of a part.
const BITS: u32 = 16;

/// Values that a part can have.
const VALUES: usize = 1 << BITS;

/// Hashes to search in.
#[derive(Debug)]
pub(super) struct Index {
    bits: Vec<u64>,
    /// For each part: where the hashes with each of its values start in `ids`, and the end.
    starts: Vec<Vec<u32>>,
    ids: Vec<Vec<u32>>,
    /// What a part is changed by to find the near ones.
    changes: Vec<u16>,
    radius: u32,
}

fn bits(hash: Hash) -> u64 {
    // A hash shows its bits as text only; it always has 16 hexadecimal digits.
    u64::from_str_radix(&hash.to_string(), 16).unwrap_or_default()
}

fn part(bits: u64, part: usize) -> usize {
    (bits >> (part as u32 * BITS)) as usize & (VALUES - 1)
}

impl Index {
    /// To find hashes of at most `radius` bits' distance.
    pub(super) fn new(hashes: impl IntoIterator<Item = Hash>, radius: u32) -> Self {
        let bits: Vec<u64> = hashes.into_iter().map(bits).collect();
        let mut starts = Vec::new();
        let mut ids = Vec::new();
        for p in 0..PARTS {
            let mut start = vec![0u32; VALUES + 1];
            for &b in &bits {
                start[part(b, p) + 1] += 1;
            }
            for v in 0..VALUES {
                start[v + 1] += start[v];
            }
            let mut next = start.clone();
            let mut id = vec![0u32; bits.len()];
            for (i, &b) in bits.iter().enumerate() {
                let at = &mut next[part(b, p)];
                id[*at as usize] = i as u32;
                *at += 1;
            }
            starts.push(start);
            ids.push(id);
        }
        let most = radius / PARTS as u32;
        Self {
            bits,
            starts,
            ids,
            changes: (0..=u16::MAX).filter(|c| c.count_ones() <= most).collect(),
            radius,
        }
    }

    /// Calls `found` with the index of each hash near `hash`, itself included; some of them several times.
    pub(super) fn near(&self, hash: Hash, mut found: impl FnMut(usize)) {
        let wanted = bits(hash);
        for p in 0..PARTS {
            let (starts, ids) = (&self.starts[p], &self.ids[p]);
            for &change in &self.changes {
                let value = part(wanted, p) ^ usize::from(change);
                for &id in &ids[starts[value] as usize..starts[value + 1] as usize] {
                    let id = id as usize;
                    if (self.bits[id] ^ wanted).count_ones() <= self.radius {
                        found(id);
                    }
                }
            }
        }
    }
}

/// Clusters by single linkage: for each hash the smallest index of its cluster. Two are in one cluster where a chain of hashes leads
/// from one to the other whose neighbours differ in at most `radius` bits.
pub(super) fn clusters(hashes: &[Hash], radius: u32) -> Vec<usize> {
    // Each different hash once: the frames of a film often have the same.
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_by_key(|&i| (bits(hashes[i]), i));
    let mut parents: Vec<usize> = (0..hashes.len()).collect();
    let mut different: Vec<usize> = Vec::new();
    for i in order {
        match different.last() {
            Some(&first) if hashes[first] == hashes[i] => join(&mut parents, first, i),
            _ => different.push(i),
        }
    }
    let index = Index::new(different.iter().map(|&i| hashes[i]), radius);
    for &i in &different {
        index.near(hashes[i], |other| join(&mut parents, i, different[other]));
    }
    (0..hashes.len()).map(|i| root(&mut parents, i)).collect()
}

/// The smallest index of a cluster, as far as it is known.
fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}

#[cfg(test)]
pub(super) fn hash(bits: u64) -> Hash {
    format!("{bits:016x}").parse().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: everybody against everybody.
    fn plain(hashes: &[Hash], radius: u32) -> Vec<usize> {
        let mut parents: Vec<usize> = (0..hashes.len()).collect();
        for a in 0..hashes.len() {
            for b in 0..a {
                if hashes[a].distance(hashes[b]) <= radius {
                    join(&mut parents, a, b);
                }
            }
        }
        (0..hashes.len()).map(|i| root(&mut parents, i)).collect()
    }

    proptest! {
        #[test]
        fn the_index_finds_what_comparing_all_finds(
            seeds in proptest::collection::vec(any::<u64>(), 1..6),
            flips in proptest::collection::vec((any::<usize>(), any::<[u8; 7]>()), 0..60),
            radius in 0u32..13,
        ) {
            // Random hashes would never be near.
            let near = flips.iter().map(|(seed, flips)| {
                let start = seeds[seed % seeds.len()];
                hash(flips.iter().fold(start, |h, b| h ^ (1 << (b % 64))))
            });
            let hashes: Vec<Hash> = near.collect();
            prop_assert_eq!(clusters(&hashes, radius), plain(&hashes, radius));
        }
    }

    #[test]
    fn many_are_clustered_in_seconds() {
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd)
        };
        // The largest data set that is expected; without optimisation a tenth of it takes as long.
        let n = if cfg!(debug_assertions) {
            5_000
        } else {
            50_000
        };
        let hashes: Vec<Hash> = (0..n).map(|_| hash(next())).collect();
        let start = std::time::Instant::now();
        let clusters = clusters(&hashes, 10);
        let took = start.elapsed();
        println!("{n} hashes in {took:?}");
        let different = clusters.iter().enumerate().filter(|(i, c)| i == *c);
        assert!(different.count() > n - n / 50);
        assert!(took.as_secs() < 60, "{took:?}");
    }
}
