package hdl

import (
	"math"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
)

// tolerance is how far the estimate may be from what yosys finds: on older
// devices, where LUTs of arrays are fewer than those of their cells, a little
// more.
func tolerance(family string) float64 {
	if family == olderDevices {
		return 0.20
	}
	return 0.15
}

func off(estimate, found int) float64 {
	if estimate == found {
		return 0
	}
	return math.Abs(float64(estimate-found)) / float64(found)
}

// estimated is the estimate for what was measured: an array, or one part of it.
func estimated(m Measurement) Resources {
	model := fitted(m.Family)
	switch m.Module {
	case "cell":
		return Resources{LUT: int(model.cell.at(m.Shape.cellLUT(m.Family)) + 0.5), FF: m.Shape.cellFF(m.Family) + sharedFF, DSP: m.Shape.cellDSP()}
	case "lane":
		return Resources{LUT: int(model.lane.at(m.Shape.laneLUT(m.Family)) + 0.5), FF: int(model.laneFF.at(m.Shape.laneFF(m.Family)) + 0.5), DSP: m.Shape.laneDSP()}
	}
	return EstimateArray(m.Shape, m.Array, m.Family)
}

func TestEstimateIsNearMeasurementsThatItWasNotFittedTo(t *testing.T) {
	worst, checked := map[string]*[3]float64{}, 0
	for _, m := range Measurements() {
		e := estimated(m)
		errors := [3]float64{off(e.LUT, m.LUT), off(e.FF, m.FF), off(e.DSP, m.DSP)}
		t.Logf("%-4s %-5s %-5s %dx%d/%d W %d U %d E %d G %d: LUT %d (%d) FF %d (%d) DSP %d (%d)", m.Family, m.Use, m.Module, m.Array.Rows, m.Array.Columns, m.Array.Lanes,
			m.Shape["WW"], m.Shape["UW"], m.Shape["EW"], m.Shape["GW"], e.LUT, m.LUT, e.FF, m.FF, e.DSP, m.DSP)
		if m.Use != "check" {
			continue
		}
		checked++
		if worst[m.Family] == nil {
			worst[m.Family] = new([3]float64)
		}
		for i, v := range errors {
			worst[m.Family][i] = max(worst[m.Family][i], v)
			if v > tolerance(m.Family) {
				t.Errorf("%s %s %v: %s is %.0f %% off", m.Family, m.Module, m.Shape, [...]string{"LUT", "FF", "DSP"}[i], 100*v)
			}
		}
	}
	for family, w := range worst {
		t.Logf("%s, not fitted: worst errors LUT %.1f %%, FF %.1f %%, DSP %.1f %%", family, 100*w[0], 100*w[1], 100*w[2])
	}
	if checked < 8 {
		t.Errorf("only %d measurements to check with", checked)
	}
}

// What the table says was measured is what yosys says now, for an array and
// widths that were not used to fit; so is a family of older devices.
func TestYosysSynthesisesPEAndArray(t *testing.T) {
	need(t, "yosys")
	dir := folder(t)
	d := datapath(t, small, "w=q3.11,u=q4.10,e=q3.12,g=q5.12", 4)
	parameters := shape{}
	for _, w := range widths(d) {
		parameters[w.name] = w.value
	}
	for _, c := range []struct {
		module, family string
		array          pe.Array
	}{
		{"accelsim_pe", "xcup", pe.Array{Rows: 1, Columns: 1, Lanes: 1}},
		{"accelsim_array", "xcup", pe.Array{Rows: 2, Columns: 3, Lanes: 2}},
		{"accelsim_array", "xc7", pe.Array{Rows: 3, Columns: 1, Lanes: 1}},
	} {
		t.Run(c.module+"/"+c.family, func(t *testing.T) {
			set := map[string]int{}
			for _, name := range peParameters {
				set[name] = parameters[name]
			}
			if c.module == "accelsim_array" {
				set["ROWS"], set["COLUMNS"], set["LANES"] = c.array.Rows, c.array.Columns, c.array.Lanes
			}
			found, err := Synthesize(limited(t), dir, c.module, c.family, set)
			if err != nil {
				t.Fatal(err)
			}
			e := EstimateArray(parameters, c.array, c.family)
			t.Logf("LUT %d, estimate %d (%+.1f %%); FF %d, estimate %d (%+.1f %%); DSP %d, estimate %d",
				found.LUT, e.LUT, 100*float64(e.LUT-found.LUT)/float64(found.LUT), found.FF, e.FF, 100*float64(e.FF-found.FF)/float64(found.FF), found.DSP, e.DSP)
			if within := tolerance(c.family); off(e.LUT, found.LUT) > within || off(e.FF, found.FF) > within || off(e.DSP, found.DSP) > within {
				t.Errorf("the estimate is more than %.0f %% off", 100*within)
			}
		})
	}
}

func TestVerdictNamesWhatABoardLacks(t *testing.T) {
	b, err := LookupBoard("pynq-z2")
	if err != nil {
		t.Fatal(err)
	}
	if lacks := (Resources{LUT: b.LUT, FF: b.FF, DSP: b.DSP, BRAM: b.BRAM}).Fits(b); lacks != nil {
		t.Errorf("a full board lacks %v", lacks)
	}
	if lacks := (Resources{DSP: b.DSP + 1}).Fits(b); len(lacks) != 1 || lacks[0] != "DSP (221 of 220)" {
		t.Error(lacks)
	}
	if _, err := LookupBoard("zcu"); err == nil {
		t.Error("there is no board zcu")
	}
}
