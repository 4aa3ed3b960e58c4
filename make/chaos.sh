#!/bin/sh
# `make chaos`: what waits for leases and outages runs beside what kills 2,000 people's processes at random, and both beside 10,000
# interleavings of statements and of writes with events, fifty drawn journeys, and what is weighed, so that all of it takes less than 15
# minutes on two cores. What is only counted gives way. What is judged by its latency runs last, with nothing beside it.
# With arguments, those are pytest's, and nothing runs beside.
set -u
export CHAOS=full
python=.venv/bin/python
if [ $# -gt 0 ]; then
    exec $python -m pytest tests/chaos "$@"
fi

at_random=tests/chaos/test_random_kills.py
by_latency=tests/chaos/test_slow_mail.py
by_weight=tests/chaos/test_memory.py
said=.venv/chaos  # what was said, and the databases and logs of the last run
rm -rf $said && mkdir -p $said
# Turns at statements are one after the other, so that each of the three kinds leaves half a core to the others.
INTERLEAVINGS=10000 nice -n 10 $python -m pytest -n 3 tests/store/test_interleaved_statements.py tests/store/test_write_then_event.py \
    tests/store/test_settling.py >$said/interleavings 2>&1 &
played=$!
JOURNEYS=50 $python -m pytest tests/e2e/test_any_journey.py >$said/journeys 2>&1 &  # its workflows must not wait 2 s for the machine
drawn=$!
nice -n 10 $python -m pytest $by_weight --basetemp $said/d >$said/weighed 2>&1 &
weighed=$!
$python -m pytest tests/chaos --durations=0 --basetemp $said/a --ignore=$at_random --ignore=$by_latency --ignore=$by_weight >$said/outages 2>&1 &
waited=$!
failed=0
$python -m pytest $at_random --durations=0 --basetemp $said/b || failed=1
wait $waited || failed=1
cat $said/outages
wait $played || failed=1
tail -n 3 $said/interleavings
wait $drawn || failed=1
tail -n 3 $said/journeys
wait $weighed || failed=1
tail -n 3 $said/weighed
$python -m pytest $by_latency --basetemp $said/c || failed=1
exit $failed
