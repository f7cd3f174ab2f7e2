//! Buffers that are used again: after the first step a training loop allocates nothing that grows with its work.

/// A free list of `f32` and `u32` buffers.
#[derive(Default)]
pub struct Pool {
    floats: Vec<Vec<f32>>,
    words: Vec<Vec<u32>>,
}

impl Pool {
    /// A buffer of `len` elements with unspecified (but initialised) contents.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = pick(&mut self.floats, len);
        if buffer.capacity() < len {
            buffer.clear();
            buffer.reserve_exact(len);
        }
        // Only the part beyond the old length is written, so reuse at the same size costs nothing.
        buffer.resize(len, 0.0);
        buffer
    }

    /// A buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }

    /// A copy of `data`.
    pub fn copy(&mut self, data: &[f32]) -> Vec<f32> {
        let mut buffer = self.take(data.len());
        buffer.copy_from_slice(data);
        buffer
    }

    /// A copy of a list of indices.
    pub fn copy_words(&mut self, data: &[u32]) -> Vec<u32> {
        let mut buffer = pick(&mut self.words, data.len());
        buffer.clear();
        buffer.extend_from_slice(data);
        buffer
    }

    /// Gives a buffer back.
    pub fn give(&mut self, buffer: Vec<f32>) {
        if buffer.capacity() > 0 {
            self.floats.push(buffer);
        }
    }

    /// Gives a list of indices back.
    pub fn give_words(&mut self, buffer: Vec<u32>) {
        if buffer.capacity() > 0 {
            self.words.push(buffer);
        }
    }
}

/// The smallest free buffer that holds `len`, else the largest (to be grown), else a new one.
fn pick<T>(free: &mut Vec<Vec<T>>, len: usize) -> Vec<T> {
    let fit =
        |b: &Vec<T>| (b.capacity() < len, if b.capacity() < len { usize::MAX - b.capacity() } else { b.capacity() });
    let best = (0..free.len()).min_by_key(|&i| fit(&free[i]));
    best.map(|i| free.swap_remove(i)).unwrap_or_default()
}
