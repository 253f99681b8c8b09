package diff

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type pair struct{ a, b *actor }

// manyPairs are the most that are all tried.
const manyPairs = 1 << 14

// pairActors pairs first who did the very same, then who agree most, then whoever is left in the order in
// which they appeared.
func pairActors(left, right []*actor) (pairs []pair) {
	pairs, left, right = twins(left, right)
	if len(left)*len(right) > manyPairs {
		for i := range min(len(left), len(right)) {
			pairs = append(pairs, pair{left[i], right[i]})
		}
		return pairs
	}
	type try struct{ i, j, score int }
	var tries []try
	for i, a := range left {
		for j, b := range right {
			tries = append(tries, try{i, j, agreement(a, b)})
		}
	}
	slices.SortFunc(tries, func(s, t try) int {
		return cmp.Or(cmp.Compare(t.score, s.score), cmp.Compare(s.i, t.i), cmp.Compare(s.j, t.j))
	})
	taken := map[*actor]bool{}
	for _, t := range tries {
		a, b := left[t.i], right[t.j]
		if !taken[a] && !taken[b] {
			taken[a], taken[b] = true, true
			pairs = append(pairs, pair{a, b})
		}
	}
	return pairs
}

// twins pairs who did the very same, and returns who is left.
func twins(left, right []*actor) (pairs []pair, a, b []*actor) {
	bySignature := map[string][]*actor{}
	for _, y := range right {
		does := y.signature()
		bySignature[does] = append(bySignature[does], y)
	}
	taken := map[*actor]bool{}
	for _, x := range left {
		does := x.signature()
		same := bySignature[does]
		if len(same) == 0 {
			a = append(a, x)
			continue
		}
		bySignature[does] = same[1:]
		taken[same[0]] = true
		pairs = append(pairs, pair{x, same[0]})
	}
	for _, y := range right {
		if !taken[y] {
			b = append(b, y)
		}
	}
	return pairs, a, b
}

func (a *actor) signature() string {
	var s strings.Builder
	for _, key := range slices.Sorted(maps.Keys(a.counts)) {
		s.WriteString(key + " " + strconv.Itoa(a.counts[key]) + "\n")
	}
	return s.String()
}

// agreement is how many acts the two have in common.
func agreement(a, b *actor) (sum int) {
	for key, n := range a.counts {
		sum += min(n, b.counts[key])
	}
	return sum
}
