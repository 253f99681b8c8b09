package receipt

// pair is one place of two sequences laid side by side; -1 where a side has nothing.
type pair struct{ a, b int }

// lookAhead is how far align searches, on both sides together, for where the sides agree again.
const lookAhead = 64

// align lays two sequences side by side. Equal elements are paired; where the sides differ, the
// fewest elements are passed over until they agree again for run elements, and what was passed over
// on both sides at once is paired as differing. Two equal sequences cost one pass.
func align(a, b []string, run int) []pair {
	var pairs []pair
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
			continue
		}
		skipA, skipB := resync(a[i:], b[j:], run)
		for ; skipA > 0 && skipB > 0; skipA, skipB = skipA-1, skipB-1 {
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		}
		for ; skipA > 0; skipA-- {
			pairs = append(pairs, pair{i, -1})
			i++
		}
		for ; skipB > 0; skipB-- {
			pairs = append(pairs, pair{-1, j})
			j++
		}
	}
	return pairs
}

// resync returns how many elements to pass over on each side, at least one in all.
func resync(a, b []string, run int) (skipA, skipB int) {
	for total := 1; total <= lookAhead; total++ {
		for skipA := total; skipA >= 0; skipA-- {
			skipB := total - skipA
			if skipA <= len(a) && skipB <= len(b) && agree(a[skipA:], b[skipB:], run) {
				return skipA, skipB
			}
		}
	}
	return min(1, len(a)), min(1, len(b))
}

// agree reports whether the sides are equal for run elements, or to their ends.
func agree(a, b []string, run int) bool {
	for n := range run {
		if len(a) == n || len(b) == n {
			return len(a) == len(b)
		}
		if a[n] != b[n] {
			return false
		}
	}
	return true
}
