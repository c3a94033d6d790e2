#!/bin/bash
# capture_live.t with the other journal modes, so that the two can run side
# by side.
MODES="truncate persist" exec "${0%_more.t}.t"
