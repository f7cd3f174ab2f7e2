//! What pushes the spots of a map apart, a crowd far away as one (Barnes & Hut 1986; for t-SNE, van der Maaten 2014).
//!
//! The spots are sorted along a Z curve, so that each square of the quadtree is a range of them; nodes stand in depth
//! first order, each knowing where the next one that is not inside of it stands, so that a walk needs no stack.

use rayon::prelude::*;

use super::Place;

/// Spots in a square that is not divided.
const LEAF: usize = 8;
/// Levels of the tree: halvings of each side.
const LEVELS: u32 = 16;

struct Node {
    /// The mean of its spots.
    x: f32,
    y: f32,
    count: f32,
    /// Squared side of the square; below 0 where many spots all but coincide, which are one from wherever they are seen.
    side: f32,
    /// The node after all that are inside of this one.
    next: u32,
    /// The spots of a leaf; empty for others.
    first: u32,
    end: u32,
}

pub(super) struct Quadtree {
    nodes: Vec<Node>,
    /// Spots along the curve, and their numbers.
    places: Vec<Place>,
    order: Vec<u32>,
}

impl Quadtree {
    pub fn new(places: &[Place]) -> Self {
        let bound = |axis: usize, best: fn(f32, f32) -> f32| places.iter().map(|p| p[axis]).fold(places[0][axis], best);
        let low = [bound(0, f32::min), bound(1, f32::min)];
        let side = (bound(0, f32::max) - low[0]).max(bound(1, f32::max) - low[1]).max(f32::MIN_POSITIVE);
        let scale = (1u32 << LEVELS) as f32 / side;
        let cell = |v: f32, low: f32| (((v - low) * scale) as u32).min((1 << LEVELS) - 1);
        let key = |(i, p): (usize, &Place)| {
            let code = spread(cell(p[0], low[0])) | spread(cell(p[1], low[1])) << 1;
            code << 32 | i as u64
        };
        let mut keys: Vec<u64> = places.par_iter().enumerate().map(key).collect();
        keys.par_sort_unstable(); // all different, so there is one order
        let order: Vec<u32> = keys.iter().map(|&k| k as u32).collect();
        let sorted = order.iter().map(|&i| places[i as usize]).collect();
        let mut tree = Self { nodes: Vec::with_capacity(places.len() / 2), places: sorted, order };
        tree.divide(&keys, 0, 0, side);
        tree
    }

    /// Adds the node of the spots `first..first + keys.len()`, at a level, and all inside of it.
    fn divide(&mut self, keys: &[u64], first: usize, level: u32, side: f32) {
        let own = self.nodes.len();
        let (mut x, mut y) = (0.0f64, 0.0f64);
        for place in &self.places[first..first + keys.len()] {
            (x, y) = (x + f64::from(place[0]), y + f64::from(place[1]));
        }
        let count = keys.len() as f64;
        let (x, y) = ((x / count) as f32, (y / count) as f32);
        let leaf = keys.len() <= LEAF || level == LEVELS;
        let end = if leaf { first + keys.len() } else { first } as u32;
        // While neighbours are pulled together, the few that fly off leave most of a map in a few of the smallest squares.
        let coincide = level == LEVELS && keys.len() > LEAF;
        let side_squared = if coincide { -1.0 } else { side * side };
        self.nodes.push(Node { x, y, count: keys.len() as f32, side: side_squared, next: 0, first: first as u32, end });
        if !leaf {
            let shift = 32 + 2 * (LEVELS - 1 - level);
            let mut from = 0;
            while from < keys.len() {
                let quarter = keys[from] >> shift;
                let to = from + keys[from..].partition_point(|k| k >> shift == quarter);
                self.divide(&keys[from..to], first + from, level + 1, side / 2.0);
                from = to;
            }
        }
        self.nodes[own].next = self.nodes.len() as u32;
    }

    /// For each spot `sum_j w^2 (y_i - y_j)` with `w = 1 / (1 + |y_i - y_j|^2)`, and the sum of w over all pairs of two
    /// different spots. A square counts as one where its side is below `theta` times its distance.
    pub fn repulsion(&self, theta: f32) -> (Vec<Place>, f64) {
        let theta = theta * theta;
        let one = |&at: &Place| self.walk(at, theta);
        let along: Vec<(Place, f32)> = self.places.par_iter().with_min_len(256).map(one).collect();
        let mut forces = vec![[0.0; 2]; along.len()];
        let mut total = 0.0;
        for (&i, &(force, sum)) in self.order.iter().zip(&along) {
            forces[i as usize] = force;
            total += f64::from(sum);
        }
        (forces, total)
    }

    fn walk(&self, at: Place, theta: f32) -> (Place, f32) {
        let (mut fx, mut fy, mut sum) = (0.0f32, 0.0f32, -1.0f32); // the spot itself is met on the way: w = 1, no force
        let mut i = 0;
        while let Some(node) = self.nodes.get(i) {
            let (dx, dy) = (at[0] - node.x, at[1] - node.y);
            let squared = dx * dx + dy * dy;
            if node.side < theta * squared {
                let w = 1.0 / (1.0 + squared);
                let many = node.count * w;
                sum += many;
                (fx, fy) = (fx + many * w * dx, fy + many * w * dy);
                i = node.next as usize;
            } else if node.end > node.first {
                for place in &self.places[node.first as usize..node.end as usize] {
                    let (dx, dy) = (at[0] - place[0], at[1] - place[1]);
                    let w = 1.0 / (1.0 + dx * dx + dy * dy);
                    sum += w;
                    (fx, fy) = (fx + w * w * dx, fy + w * w * dy);
                }
                i = node.next as usize;
            } else {
                i += 1;
            }
        }
        ([fx, fy], sum)
    }
}

/// The lower 16 bits, a zero bit between each two.
fn spread(v: u32) -> u64 {
    let mut v = u64::from(v);
    for (shift, mask) in [(8, 0x00ff_00ff), (4, 0x0f0f_0f0f), (2, 0x3333_3333), (1, 0x5555_5555)] {
        v = (v | v << shift) & mask;
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    /// The double loop.
    fn plain(places: &[Place]) -> (Vec<[f64; 2]>, f64) {
        let mut total = 0.0;
        let forces = places.iter().enumerate().map(|(i, a)| {
            let mut force = [0.0f64; 2];
            for (_, b) in places.iter().enumerate().filter(|(j, _)| *j != i) {
                let d = [f64::from(a[0] - b[0]), f64::from(a[1] - b[1])];
                let w = 1.0 / (1.0 + d[0] * d[0] + d[1] * d[1]);
                total += w;
                force = [force[0] + w * w * d[0], force[1] + w * w * d[1]];
            }
            force
        });
        (forces.collect(), total)
    }

    /// Length of the differences of forces, as a share of the expected ones'.
    fn off(forces: &[Place], expected: &[[f64; 2]]) -> f64 {
        let (mut off, mut all) = (0.0, 0.0);
        for (f, e) in forces.iter().zip(expected) {
            off += (f64::from(f[0]) - e[0]).powi(2) + (f64::from(f[1]) - e[1]).powi(2);
            all += e[0] * e[0] + e[1] * e[1];
        }
        (off / all).sqrt()
    }

    #[test]
    fn forces_are_close_to_the_double_loop_and_equal_at_theta_0() {
        let mut places: Vec<Place> = normal(900, 2, 1).data().as_chunks::<2>().0.to_vec();
        places.iter_mut().for_each(|p| *p = [30.0 * p[0] + 7.0, 9.0 * p[1]]);
        places.extend([places[0]; 40]); // more copies than a leaf holds
        let (expected, expected_total) = plain(&places);
        let tree = Quadtree::new(&places);
        for (theta, most) in [(0.0, 1e-4), (0.5, 0.03)] {
            let (forces, total) = tree.repulsion(theta);
            assert!((total / expected_total - 1.0).abs() < most, "{total} {expected_total}");
            let off = off(&forces, &expected);
            assert!(off < most, "theta {theta}: {off}");
        }
    }

    #[test]
    fn a_crowd_in_a_point_is_one() {
        let mut places: Vec<Place> = normal(3000, 2, 1).data().as_chunks::<2>().0.to_vec();
        places.iter_mut().for_each(|p| *p = [1e-4 * p[0], 1e-4 * p[1]]);
        places.push([90.0, 40.0]);
        let tree = Quadtree::new(&places);
        assert!(tree.nodes.iter().any(|n| n.side < 0.0 && n.count > 500.0));
        let (forces, total) = tree.repulsion(0.5);
        let (expected, expected_total) = plain(&places);
        assert!((total / expected_total - 1.0).abs() < 1e-4, "{total} {expected_total}");
        let (far, near) = (forces[3000], expected[3000]);
        assert!((far[0] - near[0] as f32).abs() < 1e-3 * near[0].abs() as f32, "{far:?} {near:?}");
        let off = off(&forces[..3000], &expected);
        assert!(off < 0.01, "{off}");
    }

    #[test]
    fn bits_are_spread() {
        assert_eq!(spread(0b1011), 0b100_0101);
        assert_eq!(spread(0xffff), 0x5555_5555);
    }

    #[test]
    fn one_spot_and_copies_have_no_force() {
        for n in [1, 2, 50] {
            let (forces, total) = Quadtree::new(&vec![[3.0, 4.0]; n]).repulsion(0.5);
            assert!(forces.iter().flatten().all(|&f| f == 0.0));
            assert!((total - (n * (n - 1)) as f64).abs() < 1e-3);
        }
    }
}
