package golden

import "testing"

func BenchmarkIteration(b *testing.B) {
	for _, c := range BenchCases() {
		b.Run(c.Name, func(b *testing.B) {
			t, batch, err := c.Trainer(0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := t.Train(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
