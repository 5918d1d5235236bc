package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCIFAR10RecordIsLabelThenChannels(t *testing.T) {
	dir := t.TempDir()
	record := make([]byte, cifarRecord)
	record[0] = 6
	record[1+5*32+7] = 255       // red, row 5, column 7
	record[1+2048+31*32+0] = 102 // blue, row 31, column 0
	write(t, append(make([]byte, cifarRecord), record...), dir, "cifar-10-batches-bin", "test_batch.bin")
	var sample Sample
	if err := open(t, "cifar10", Options{Dir: dir, Split: "test"}).Read(1, &sample); err != nil {
		t.Fatal(err)
	}
	for i, v := range sample.X {
		want := map[int]float32{5*32 + 7: 1, 2048 + 31*32: .4}[i]
		if v != want {
			t.Errorf("value %d is %v, want %v", i, v, want)
		}
	}
	if sample.Label != 6 {
		t.Errorf("label %d", sample.Label)
	}
}

func TestCIFAR10FilesFollowEachOther(t *testing.T) {
	set := open(t, "cifar10", Options{})
	var sample Sample
	for i := range 10 {
		if err := set.Read(i, &sample); err != nil || sample.Label != i {
			t.Errorf("sample %d has label %d (%v)", i, sample.Label, err)
		}
	}
}

func TestDamagedCIFAR10IsRefused(t *testing.T) {
	good, err := os.ReadFile("testdata/cifar10/test_batch.bin")
	if err != nil {
		t.Fatal(err)
	}
	mislabelled := append(append([]byte{}, good[:cifarRecord]...), 10)
	mislabelled = append(mislabelled, good[cifarRecord+1:]...)
	parse := func(data []byte) error {
		dir := t.TempDir()
		write(t, data, dir, "test_batch.bin")
		set, err := Open("cifar10", Options{Dir: dir, Split: "test"})
		if err != nil {
			return err
		}
		defer set.Close()
		return set.Read(1, &Sample{})
	}
	if err := parse(good); err != nil {
		t.Error(err)
	}
	refuse(t, []damage{
		{"truncated", good[:5000], "test_batch.bin: byte 5000: the file ends 1927 bytes into a record of 3073", 5000},
		{"label 10", mislabelled, "label 10; the classes are 0 to 9", cifarRecord},
	}, parse)
}

// A file that shrinks while it is open.
func TestShrunkenCIFAR10IsRefused(t *testing.T) {
	dir := t.TempDir()
	path := write(t, make([]byte, 2*cifarRecord), dir, "test_batch.bin")
	set := open(t, "cifar10", Options{Dir: dir, Split: "test"})
	if err := os.Truncate(path, cifarRecord+100); err != nil {
		t.Fatal(err)
	}
	err := set.Read(1, &Sample{})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "test_batch.bin")+": byte 3173: the file ends within a record") {
		t.Error(err)
	}
}

func FuzzCIFAR10(f *testing.F) {
	f.Add(make([]byte, cifarRecord))
	f.Add([]byte{200})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		write(t, data, dir, "test_batch.bin")
		set, err := Open("cifar10", Options{Dir: dir, Split: "test"})
		if err != nil {
			return
		}
		defer set.Close()
		var sample Sample
		for i := range set.Len() {
			if err := set.Read(i, &sample); err == nil && sample.Label > 9 {
				t.Errorf("label %d", sample.Label)
			}
		}
	})
}
