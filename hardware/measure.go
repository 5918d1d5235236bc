package hardware

import "github.com/accelsim-dev/accelsim/units"

// What hardware files measure. The bounds are far beyond what is built, and keep
// sums far from overflow.
var (
	clocks     = units.Form{Kind: units.Frequency, In: "Hz", Least: 1, Most: 10e9, Bounds: "1Hz to 10GHz", Whole: true, Example: "200MHz"}
	rates      = units.Form{Kind: units.Rate, In: "MT/s", Least: 1, Most: 1e9, Bounds: "1MT/s to 1000000GT/s", Example: "2400MT/s"}
	capacities = units.Form{Kind: units.Memory, In: "B", Least: 1 << 10, Most: 1 << 49, Bounds: "1KiB to 524288GiB", Whole: true, Example: "2MiB"}
	bankSizes  = units.Form{Kind: units.Memory, In: "B", Least: 1, Most: 1 << 49, Bounds: "1B to 524288GiB", Whole: true, Example: "32KiB"}
)
