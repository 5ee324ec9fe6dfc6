package store

import "context"

// CompactWith is Compact on a disk of which some octets are free, the same one for everything or not.
func CompactWith(ctx context.Context, cfg Config, free uint64, oneDisk bool) (Compacted, error) {
	disks := uint64(0)
	return compactWith(ctx, cfg, func(string) (uint64, uint64, error) {
		if !oneDisk {
			disks++
		}
		return free, disks, nil
	})
}
