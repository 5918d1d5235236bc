package dram

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// iniKeys are the keys of an .ini file by section: those that [ReadINI] reads, and
// those of DRAMsim3's that ask for nothing by themselves, such as the time to
// leave a power-down that is never entered.
var iniKeys = map[string][]string{
	"dram_structure": {
		"protocol", "bankgroups", "banks_per_group", "bankgroup_enable", "rows", "columns", "device_width", "BL",
		"beats_per_clock", "hbm_dual_cmd", "num_dies",
	},
	"timing": {
		"tCK", "AL", "CL", "CWL", "tRCD", "tRCDRD", "tRCDWR", "tRP", "tRAS", "tRFC", "tREFI", "tRFCb", "tREFIb",
		"tRRD_S", "tRRD_L", "tFAW", "t32AW", "tCCD_S", "tCCD_L", "tWTR_S", "tWTR_L", "tWR", "tRTP", "tRTRS", "tPPD",
		"tCKE", "tCKESR", "tCKSRE", "tXS", "tXP", // power-down, self refresh
		"tRFC2", "tRFC4", "tWR2", // other modes of refresh and preamble
		"tRPRE", "tWPRE", "ideal_memory_latency",
	},
	"power": {
		"VDD", "IDD0", "IDD2P", "IDD2N", "IDD3P", "IDD3N", "IDD4W", "IDD4R", "IDD5AB", "IDD5PB", "IDD6x",
		"VPP", "IPP0", "IPP3N", "IPP5", "io_read", "io_write",
	},
	"system": {
		"name", "channel_size", "channels", "bus_width", "address_mapping", "queue_structure", "row_buf_policy",
		"refresh_policy", "cmd_queue_size", "trans_queue_size", "write_buf_size", "unified_queue",
		"enable_self_refresh", "sref_threshold", "aggressive_precharging_enabled",
	},
}

// otherSections are DRAMsim3's output, its thermal model and its hybrid memory
// cube: nothing in them bears on a device here.
var otherSections = []string{"other", "thermal", "hmc"}

// sectionOf returns the section that a key belongs to, "" if there is none.
func sectionOf(key string) string {
	for section, keys := range iniKeys {
		if slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			return section
		}
	}
	return ""
}

// unmodelled notes what DRAMsim3 has and the file asks for, but no controller
// here does.
func (f *ini) unmodelled(std standard) {
	const structure, system = "dram_structure", "system"
	asks := func(section, key, value, instead string) {
		if v, ok := f.value(section, key); ok {
			f.note(v.line, "%s = %s is not modelled: %s", key, value, instead)
		}
	}
	if f.flag(system, "enable_self_refresh", false) {
		asks(system, "enable_self_refresh", "true", "a rank without work stays in standby, and is refreshed by commands")
	}
	if f.flag(system, "aggressive_precharging_enabled", false) {
		asks(system, "aggressive_precharging_enabled", "true", "a row stays open until a request or a refresh needs its bank")
	}
	if !f.flag(structure, "hbm_dual_cmd", true) && std.DualCommand {
		asks(structure, "hbm_dual_cmd", "false", "a row and a column command may go out in one clock")
	}
	if f.flag(system, "unified_queue", false) {
		asks(system, "unified_queue", "true", "reads and writes wait in queues of their own")
	}
	if _, ok := f.value(system, "queue_structure"); ok && f.choice(system, "queue_structure", "PER_BANK", "PER_RANK") == 1 {
		asks(system, "queue_structure", "PER_RANK", "each bank has a queue")
	}
	if _, ok := f.value("power", "VPP"); !ok {
		for _, key := range []string{"IPP0", "IPP3N", "IPP5"} {
			if v, ok := f.value("power", key); ok && f.optional(key) > 0 {
				f.note(v.line, "%s costs nothing without VPP: give the wordline supply's voltage in [power]", key)
				return
			}
		}
	}
}

// maxUnknown is how many unknown keys are named one by one.
const maxUnknown = 10

// unknown notes the keys that nothing knows, in the order of their lines.
func (f *ini) unknown() {
	var list []iniValue
	for _, v := range f.values {
		if v.section == "" || !slices.Contains(otherSections, v.section) && sectionOf(v.key) != v.section {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b iniValue) int { return cmp.Compare(a.line, b.line) })
	for i, v := range list {
		if i == maxUnknown {
			f.note(v.line, "and %d more keys that are not known", len(list)-i)
			return
		}
		f.note(v.line, "%s", v.unknown())
	}
}

// unknown says what is wrong with a key that its section does not have.
func (v iniValue) unknown() string {
	sections := slices.Sorted(maps.Keys(iniKeys))
	switch belongs := sectionOf(v.key); {
	case v.section == "":
		return fmt.Sprintf("%.40q stands before any section; it is ignored", v.key)
	case belongs != "":
		return fmt.Sprintf("%s belongs in [%s], not in [%s]; it is ignored", v.key, belongs, v.section)
	case iniKeys[v.section] == nil:
		return fmt.Sprintf("section [%.40s] is not known%s; %.40q is ignored", v.section, spelling.Suggest(v.section, append(sections, otherSections...)), v.key)
	default:
		return fmt.Sprintf("%.40q is not a key of [%s]%s; it is ignored", v.key, v.section, spelling.Suggest(v.key, iniKeys[v.section]))
	}
}
