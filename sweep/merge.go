package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Merged is what the shards of a sweep come to.
type Merged struct {
	Plan *Plan
	*Finished
	Missing []*Point
	// Ragged says of each shard that is not complete how many points it lacks;
	// empty if the shards were cut in different ways.
	Ragged []Lack
}

// Lack is a shard that is not complete.
type Lack struct {
	Shard         Shard
	Points, Lacks int
	Begun         bool // it left a journal
}

// Merge unites the journals of one version in several folders. All must hold
// the same plan.
func Merge(dirs []string, version string) (*Merged, error) {
	m := &Merged{}
	first := ""
	for _, dir := range dirs {
		p, err := LoadPlan(dir, version)
		if errors.Is(err, fs.ErrNotExist) {
			continue // journals without a plan: another folder has it
		}
		if err != nil {
			return nil, err
		}
		if m.Plan == nil {
			m.Plan, first = p, dir
		}
		if p.Hash() != m.Plan.Hash() {
			return nil, fmt.Errorf("%s and %s hold different sweeps (%d and %d points); merge each on its own", first, dir, len(m.Plan.Points), len(p.Points))
		}
	}
	if m.Plan == nil {
		return nil, fmt.Errorf("there is no sweep of version %s in %s", version, strings.Join(dirs, ", "))
	}
	var err error
	if m.Finished, err = ReadJournals(dirs, version); err != nil {
		return nil, err
	}
	lacking := map[int]bool{} // positions in the plan
	for i, p := range m.Plan.Points {
		if !m.Records.Has(p.Key) {
			m.Missing = append(m.Missing, p)
			lacking[i] = true
		}
	}
	m.Ragged = m.lacks(lacking)
	return m, nil
}

// lacks attributes missing points to shards.
func (m *Merged) lacks(lacking map[int]bool) []Lack {
	count := 0
	for s := range m.Shards {
		if count != 0 && s.Count != count {
			return nil
		}
		count = s.Count
	}
	all := make([]Lack, count)
	for i := range m.Plan.Points {
		for s := range all {
			if own := (Shard{s, count}); own.owns(i, len(m.Plan.Points)) {
				all[s].Shard, all[s].Begun = own, m.Shards[own]
				all[s].Points++
				if lacking[i] {
					all[s].Lacks++
				}
				break
			}
		}
	}
	return slices.DeleteFunc(all, func(l Lack) bool { return l.Lacks == 0 })
}
