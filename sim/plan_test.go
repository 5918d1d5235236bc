package sim

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// changes are what hardware may have more of, and whether a plan depends on it.
var changes = []struct {
	what    string
	matters bool
	do      func(*hardware.Hardware)
}{
	{"DRAM channels", false, func(hw *hardware.Hardware) { hw.DRAM = hw.DRAM.WithChannels(2 * hw.DRAM.Channels) }},
	{"DRAM ranks", false, func(hw *hardware.Hardware) { hw.DRAM = hw.DRAM.WithRanks(2 * hw.DRAM.Ranks) }},
	{"DRAM with other bursts", false, func(hw *hardware.Hardware) {
		edge, err := hardware.Open("edge-lpddr4")
		if err != nil {
			panic(err)
		}
		hw.DRAM = edge.DRAM
	}},
	{"clock", false, func(hw *hardware.Hardware) { hw.PE.Clock *= 2 }},
	{"DMA engines", false, func(hw *hardware.Hardware) { hw.Engines = 2 }},
	{"ports", false, func(hw *hardware.Hardware) {
		hw.Ports = 1
		for b := range hw.Buffers {
			hw.Buffers[b].Ports = 1
		}
	}},
	{"bank", false, func(hw *hardware.Hardware) {
		hw.Bank = units.KiB
		for b := range hw.Buffers {
			hw.Buffers[b].Bank = units.KiB
		}
	}},
	{"rows", true, func(hw *hardware.Hardware) { hw.PE.Rows *= 2 }},
	{"capacity", true, func(hw *hardware.Hardware) {
		hw.OnChip *= 2
		for b := range hw.Buffers {
			hw.Buffers[b].Capacity *= 2
		}
	}},
	{"groups", true, func(hw *hardware.Hardware) { hw.Groups = 3 }},
}

// planned is what of a plan does not depend on where tensors are in DRAM.
func planned(pl *Plan) []part { return pl.parts }

// TestAPlanOnOtherHardwareIsThatHardwaresPlan, to the last counter and picosecond;
// and what it does not depend on is shared, not made again.
func TestAPlanOnOtherHardwareIsThatHardwaresPlan(t *testing.T) {
	p := manyBlocks(t, 2)
	for _, order := range []schedule.Order{schedule.Sequential, schedule.Pipelined} {
		for _, separate := range []bool{false, true} {
			hw := paperHardware(t)
			hw.Groups, hw.OnChip = 2, 16*units.KiB
			if hw.Separate = separate; separate {
				for b := range hw.Buffers {
					hw.Buffers[b] = hardware.Buffer{Capacity: 8 * units.KiB, Bank: units.KiB, Ports: 2}
				}
				hw.OnChip = 8 * units.KiB * units.Bytes(len(hw.Buffers))
			}
			plan, err := Residency{Resident: true}.Plan(p, hw, order, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				name := fmt.Sprintf("%v, separate %v, other %s", order, separate, c.what)
				other := *hw
				c.do(&other)
				got, err := plan.On(&other)
				if err != nil {
					t.Fatal(name, err)
				}
				if shared := &planned(got)[0] == &planned(plan)[0]; shared == c.matters {
					t.Errorf("%s: the plan is shared: %v", name, shared)
				}
				want, err := NewPlan(plan.Program(), &other, order, nil)
				if err != nil {
					t.Fatal(name, err)
				}
				one, err := got.Run(Options{})
				if err != nil {
					t.Fatal(name, err)
				}
				two, err := want.Run(Options{})
				if err != nil {
					t.Fatal(name, err)
				}
				if !reflect.DeepEqual(one, two) {
					t.Errorf("%s: another result than of a plan of its own", name)
				}
			}
		}
	}
}

// TestTheBasisHasAllThatAPlanDependsOn: hardware whose every number changes, one
// by one, has another basis or the same plan.
func TestTheBasisHasAllThatAPlanDependsOn(t *testing.T) {
	p := manyBlocks(t, 2)
	hw := paperHardware(t)
	hw.OnChip = 16 * units.KiB
	plan, err := NewPlan(p, hw, schedule.Sequential, nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	var change func(what string, v reflect.Value)
	change = func(what string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				change(what+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case reflect.Int, reflect.Int64:
			old := v.Int()
			v.SetInt(old + max(1, old/2))
			defer v.SetInt(old)
		case reflect.Uint8:
			old := v.Uint()
			v.SetUint(1 - min(1, old))
			defer v.SetUint(old)
		default:
			return // names, tables of energies and devices
		}
		changed++
		other := *hw
		if basisOf(&other) != basisOf(plan.hardware) {
			return // planned anew
		}
		fresh, err := NewPlan(p, &other, schedule.Sequential, nil)
		if err != nil {
			t.Fatal(what, err)
		}
		if !reflect.DeepEqual(fresh.extents, plan.extents) || fresh.parts[0].room != plan.parts[0].room || fresh.parts[0].tiles.Traffic() != plan.parts[0].tiles.Traffic() {
			t.Errorf("%s changes the plan and not its basis", what)
		}
	}
	base := *hw
	plan.hardware = &base
	change("hardware", reflect.ValueOf(hw).Elem())
	if changed < 10 {
		t.Errorf("only %d numbers of hardware", changed)
	}
}

// TestTwoMayRunAPlanAtOnce: they have nothing in common that changes. Under the
// race detector this is a proof.
func TestTwoMayRunAPlanAtOnce(t *testing.T) {
	hw := paperHardware(t)
	hw.Groups, hw.OnChip = 2, 8*units.KiB
	p := manyBlocks(t, 2)
	for _, order := range []schedule.Order{schedule.Sequential, schedule.Pipelined} {
		plan, err := NewPlan(p, hw, order, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := plan.Run(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want.Steps <= p.Steps() {
			t.Fatal("nothing is cut")
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if got, err := plan.Run(Options{}); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%v: another result when several run at once; %v", order, err)
				}
			})
		}
		all.Wait()
	}
}
