package golden

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// FuzzReadCheckpoint: whatever a file with a right sum says, it is refused with the
// trainer as it was, or it is where training stands, and can be written and read again.
func FuzzReadCheckpoint(f *testing.F) {
	w, data := blobWorkload(f, "4FC-BN-4FC")
	w.Batch = 64
	trainer := newTrainerOrFail(f, w, 4, 1, Options{Seed: 1})
	trainer.SetTraining("blobs", data.n, 0)
	stops := FitOptions{Epochs: 2, SaveEvery: 2}
	stops.Save = func() error {
		var text bytes.Buffer
		err := trainer.WriteCheckpoint(&text)
		f.Add(text.Bytes()[:text.Len()-4])
		return err
	}
	if err := trainer.Fit(f.Context(), data, stops); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "fuzz.ckpt")
	f.Fuzz(func(t *testing.T, text []byte) {
		text = binary.LittleEndian.AppendUint32(bytes.Clone(text), crc32.ChecksumIEEE(text))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		fresh := newTrainerOrFail(t, w, 4, 1, Options{Seed: 1})
		fresh.SetTraining("blobs", data.n, 0)
		before := fresh.Parameters()
		if err := fresh.ReadCheckpoint(path); err == nil {
			if err := saveCheckpoint(fresh, path); err != nil {
				t.Fatal(err)
			}
			if err := fresh.ReadCheckpoint(path); err != nil {
				t.Errorf("what was accepted and written again is refused: %v", err)
			}
			return
		}
		after := fresh.Parameters()
		for i := range before.Weights {
			sameBits(t, "weights", after.Weights[i], before.Weights[i])
		}
		if fresh.iterations != 0 || fresh.updates != 0 || len(fresh.history) != 0 {
			t.Error("a refused checkpoint changed how far training is")
		}
	})
}
