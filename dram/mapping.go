package dram

import (
	"math/bits"

	"github.com/accelsim-dev/accelsim/units"
)

// field is where one part of a location lies in a burst's number.
type field struct {
	shift uint
	mask  uint64
}

func (f field) of(burst uint64) uint64 { return burst >> f.shift & f.mask }

// mapping turns a burst's number (address over burst size) into a location.
type mapping struct {
	channel, rank, group, bank, row, column field

	banksPerGroup uint64
	banks         uint64 // per rank
}

// newMapping reads d.Mapping: six fields of two letters, most significant first.
func newMapping(d Device) (mapping, error) {
	m := mapping{banksPerGroup: uint64(d.BanksPerGroup), banks: uint64(d.Banks())}
	fields := []struct {
		name string
		size int
		to   *field
	}{
		{"ch", d.Channels, &m.channel},
		{"ra", d.Ranks, &m.rank},
		{"bg", d.BankGroups, &m.group},
		{"ba", d.BanksPerGroup, &m.bank},
		{"ro", d.Rows, &m.row},
		{"co", d.Columns / d.BurstLength, &m.column},
	}
	const accepted = `write the six fields ch, ra, bg, ba, ro and co once each, most significant first, such as "rochrababgco"`
	if len(d.Mapping) != 2*len(fields) {
		return m, wrong("address_mapping", "address_mapping %q is not 12 letters; %s", d.Mapping, accepted)
	}
	seen, shift := 0, uint(0)
	for at := len(d.Mapping) - 2; at >= 0; at -= 2 {
		name, found := d.Mapping[at:at+2], false
		for i, f := range fields {
			if f.name != name {
				continue
			}
			if seen&(1<<i) != 0 {
				return m, wrong("address_mapping", "address_mapping %q has field %q twice; %s", d.Mapping, name, accepted)
			}
			seen |= 1 << i
			found = true
			*f.to = field{shift, uint64(f.size) - 1}
			shift += uint(bits.Len(uint(f.size)) - 1)
		}
		if !found {
			return m, wrong("address_mapping", "address_mapping %q has an unknown field %q; %s", d.Mapping, name, accepted)
		}
	}
	return m, nil
}

// bankOf returns the index of a burst's bank within its channel.
func (m *mapping) bankOf(burst uint64) int {
	return int(m.rank.of(burst)*m.banks + m.group.of(burst)*m.banksPerGroup + m.bank.of(burst))
}

// sweep is how many consecutive bursts pass before the row number moves on:
// after that many, the same banks are visited in the same order again.
func (m *mapping) sweep() int64 { return 1 << m.row.shift }

// Alignment is the size of a whole sweep over the banks: the span of addresses
// after which only the row number has changed. [Memory] serves equal
// transfers that start on such a boundary in equal time.
func (d Device) Alignment() units.Bytes {
	m, err := newMapping(d)
	if err != nil {
		return d.BurstBytes()
	}
	return units.Bytes(m.sweep()) * d.BurstBytes()
}

// StreamMapping is the mapping that serves long runs of bursts best: channels,
// then bank groups alternate from burst to burst, a row is used up before the
// next bank is opened, and ranks change last.
func (d Device) StreamMapping() string { return "rorabacobgch" }
