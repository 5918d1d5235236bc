package report

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// blocks names a group's blocks.
func (g Group) blocks() string {
	if g.First == g.Last {
		return fmt.Sprintf("block %d", g.First)
	}
	return fmt.Sprintf("blocks %d-%d", g.First, g.Last)
}

// groupsText says how many PE groups there are and which blocks they have.
func groupsText(groups []Group) string {
	var blocks []string
	for _, g := range groups {
		text := fmt.Sprint(g.First)
		if g.Last > g.First {
			text += fmt.Sprintf("-%d", g.Last)
		}
		blocks = append(blocks, text)
	}
	return fmt.Sprintf("%d PE groups, each with such an array and a layer buffer; local blocks %s", len(groups), strings.Join(blocks, " | "))
}

// oneGroup says what a baseline cannot use.
const oneGroup = "BPTT is a single block: it runs on one of the PE groups, the others are off"

// waitOtherText says what PEs wait for that is neither a load nor a store.
func waitOtherText(groups int) string {
	if groups > 1 {
		return "PEs wait for other groups"
	}
	return "PEs wait for neither"
}

// groupTable tells what each of several PE groups did.
func groupTable(r *Run) *Table {
	t := &Table{
		Title:  "By PE group: what its PEs did",
		Header: []string{"group", "busy", "wait for ports", "for loads", "for stores", "for other groups", "on chip"},
	}
	if len(r.Schedule.Groups) < 2 {
		return t
	}
	share := func(v units.Total[units.Cycles]) string {
		return Percent(100 * ratio(v.Float64(), r.Cycles.Total.Float64()))
	}
	for i, g := range r.Schedule.Groups {
		t.Add(fmt.Sprintf("%d, %s", i+1, g.blocks()), share(g.PEBusy), share(g.StallPorts), share(g.StallLoad), share(g.StallStore),
			share(g.StallOther), Bytes(g.OnChip.Capacity))
	}
	return t
}

// groups returns how many PE groups a schedule used; results of earlier versions
// do not say.
func (s Schedule) groups() int { return max(1, len(s.Groups)) }
