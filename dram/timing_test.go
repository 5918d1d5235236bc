package dram

import (
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// probe holds a fresh channel's timers against commands.
type probe struct {
	t      *testing.T
	d      Device
	timers timers
}

func probing(t *testing.T, name string) *probe {
	d := device(t, name)
	return &probe{t, d, newTimers(d, compile(d.Constraints()))}
}

func (p *probe) issue(c Command, bank int, at units.Cycles) *probe {
	p.timers.issue(c, bank, at)
	return p
}

// opens expects a command to be refused until one clock before at, and
// accepted then.
func (p *probe) opens(c Command, bank int, at units.Cycles) {
	p.t.Helper()
	if p.timers.earliest(c, bank) <= at-1 {
		p.t.Errorf("%v to bank %d accepted at clock %d, one before %d", c, bank, at-1, at)
	}
	if p.timers.earliest(c, bank) > at {
		p.t.Errorf("%v to bank %d refused at clock %d", c, bank, at)
	}
}

// Banks of DDR4-2400: four to a group, sixteen to a rank.
const (
	sameBank  = 0
	sameGroup = 1
	sameRank  = 4
	otherRank = 16
)

func TestReadAfterActivateWaitsTRCD(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(RD, sameBank, 117)
}

func TestWriteAfterActivateWaitsTRCD(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(WR, sameBank, 117)
}

func TestGraphicsWriteAfterActivateWaitsItsOwnTRCD(t *testing.T) {
	p := probing(t, "gddr6").issue(ACT, 0, 100)
	p.opens(RD, sameBank, 127)
	p.opens(WR, sameBank, 116)
}

func TestPrechargeAfterActivateWaitsTRAS(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(PRE, sameBank, 139)
}

func TestActivateAfterPrechargeWaitsTRP(t *testing.T) {
	probing(t, "ddr4-2400").issue(PRE, 0, 100).opens(ACT, sameBank, 117)
}

func TestActivateAfterActivateOfOneBankWaitsTRC(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(ACT, sameBank, 156)
}

func TestActivatesOfOneGroupAreTRRDLApart(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(ACT, sameGroup, 106)
}

func TestActivatesOfTwoGroupsAreTRRDSApart(t *testing.T) {
	probing(t, "ddr4-2400").issue(ACT, 0, 100).opens(ACT, sameRank, 104)
}

func TestActivatesOfTwoRanksDoNotWait(t *testing.T) {
	p := probing(t, "ddr4-2400").issue(ACT, 0, 100)
	if at := p.timers.earliest(ACT, otherRank); at > 0 {
		t.Errorf("ACT to another rank waits until %d", at)
	}
}

func TestFifthActivateWaitsTFAW(t *testing.T) {
	p := probing(t, "ddr4-2400").issue(ACT, 0, 100).issue(ACT, 4, 104).issue(ACT, 8, 108).issue(ACT, 12, 112)
	p.opens(ACT, 1, 126)
	p.issue(ACT, 1, 126).opens(ACT, 5, 130)
	p.issue(ACT, 5, 130).issue(ACT, 9, 134).opens(ACT, 13, 138)
}

func TestThirtyThirdActivateOfGraphicsMemoryWaitsT32AW(t *testing.T) {
	d := device(t, "gddr6")
	d.Timing.AW32 = 420
	p := &probe{t, d, newTimers(d, compile(d.Constraints()))}
	for i := range 32 {
		p.issue(ACT, i%16, units.Cycles(8*i))
	}
	p.opens(ACT, 0, 420)
}

func TestReadsOfOneGroupAreTCCDLApart(t *testing.T) {
	probing(t, "ddr4-2400").issue(RD, 0, 100).opens(RD, sameGroup, 106)
}

func TestReadsOfTwoGroupsAreTCCDSApart(t *testing.T) {
	probing(t, "ddr4-2400").issue(RD, 0, 100).opens(RD, sameRank, 104)
}

func TestReadsOfTwoRanksLeaveTRTRSOnTheBus(t *testing.T) {
	probing(t, "ddr4-2400").issue(RD, 0, 100).opens(RD, otherRank, 105)
}

func TestWriteAfterReadWaitsForTheBusToTurn(t *testing.T) {
	// Data leaves at 117..121; a write's data comes 12 after it; one clock between.
	probing(t, "ddr4-2400").issue(RD, 0, 100).opens(WR, sameBank, 110)
}

func TestReadAfterWriteOfOneGroupWaitsTWTRL(t *testing.T) {
	probing(t, "ddr4-2400").issue(WR, 0, 100).opens(RD, sameGroup, 100+12+4+9)
}

func TestReadAfterWriteOfTwoGroupsWaitsTWTRS(t *testing.T) {
	probing(t, "ddr4-2400").issue(WR, 0, 100).opens(RD, sameRank, 100+12+4+3)
}

func TestPrechargeAfterReadWaitsTRTP(t *testing.T) {
	probing(t, "ddr4-2400").issue(RD, 0, 100).opens(PRE, sameBank, 109)
}

func TestPrechargeAfterWriteWaitsTWR(t *testing.T) {
	probing(t, "ddr4-2400").issue(WR, 0, 100).opens(PRE, sameBank, 100+12+4+18)
}

func TestActivateAfterReadWithAutoPrechargeWaitsTRTPAndTRP(t *testing.T) {
	probing(t, "ddr4-2400").issue(RDA, 0, 100).opens(ACT, sameBank, 100+9+17)
}

func TestActivateAfterWriteWithAutoPrechargeWaitsTWRAndTRP(t *testing.T) {
	probing(t, "ddr4-2400").issue(WRA, 0, 100).opens(ACT, sameBank, 100+12+4+18+17)
}

func TestRefreshWaitsTRPAfterAnyPrecharge(t *testing.T) {
	probing(t, "ddr4-2400").issue(PRE, 5, 100).opens(REF, sameBank, 117)
}

func TestActivateAfterRefreshWaitsTRFC(t *testing.T) {
	probing(t, "ddr4-2400").issue(REF, 0, 100).opens(ACT, 7, 520)
}

func TestRefreshOfOneBankHoldsUpOnlyThatBank(t *testing.T) {
	p := probing(t, "lpddr4-3200").issue(REFB, 0, 100)
	p.opens(ACT, 0, 100+224)
	p.opens(ACT, 1, 100+16)
	p.opens(REFB, 1, 100+224)
}

func TestPrechargesOfLPDDR4AreTPPDApart(t *testing.T) {
	probing(t, "lpddr4-2400").issue(PRE, 0, 100).opens(PRE, 1, 102)
}

func TestWithoutBankGroupsOnlyShortTimesHold(t *testing.T) {
	d := device(t, "ddr4-2400")
	d.BankGroups, d.BanksPerGroup = 1, 16
	p := &probe{t, d, newTimers(d, compile(d.Constraints()))}
	p.issue(RD, 0, 100).opens(RD, 1, 104)
}

func TestHighBandwidthMemoryIssuesARowAndAColumnCommandInOneClock(t *testing.T) {
	d := device(t, "hbm2").WithChannels(1)
	c, err := NewPattern(d, Pattern{Kind: "random", Requests: 2000, Seed: 1}, Reference)
	if err != nil {
		t.Fatal(err)
	}
	var log []Issued
	c.Record(&log)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(log); i++ {
		if log[i].At == log[i-1].At && log[i].Command.Column() != log[i-1].Command.Column() {
			return
		}
	}
	t.Error("no clock had both")
}

func TestClosedPageNeverHits(t *testing.T) {
	d := device(t, "ddr4-2400")
	d.ClosePage = true
	s := run(t, d, Pattern{Kind: "copy", Requests: 2000}, Reference).Stats()
	if s.RowHits != 0 || s.Activates < 2000 || s.Activates > 2000+2*int64(s.Refreshes.Float64()) || s.Precharges != s.Activates {
		t.Errorf("%+v", s)
	}
}

func TestDefaultMappingKeepsARowInOneBank(t *testing.T) {
	d := device(t, "ddr4-2400")
	m, err := newMapping(d)
	if err != nil {
		t.Fatal(err)
	}
	for burst := range uint64(128) {
		if m.bankOf(burst) != 0 || m.column.of(burst) != burst {
			t.Fatalf("burst %d is in bank %d, column %d", burst, m.bankOf(burst), m.column.of(burst))
		}
	}
	if b := m.bankOf(128); b != 4 {
		t.Errorf("the next row's worth is in bank %d, not in the next group", b)
	}
	if got := d.Capacity(); got != 16*units.GiB {
		t.Errorf("capacity %d", got)
	}
	if got := d.Alignment(); got != 256*units.KiB {
		t.Errorf("a sweep of %d bytes", got)
	}
}

func TestHBM2HasEightGigabytesInTwoKilobytePages(t *testing.T) {
	d := device(t, "hbm2")
	if d.Capacity() != 8*units.GiB || d.PageBytes() != 2*units.KiB || d.BurstBytes() != 64 {
		t.Errorf("%d bytes, pages of %d, bursts of %d", d.Capacity(), d.PageBytes(), d.BurstBytes())
	}
}
