using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class FetchWaitersTests
{
    [Fact]
    public void Waiters_UnderRandomSteps_AreWokenExactlyWhenTheBoundPasses() => Seeds.Run(200, random =>
    {
        var waiters = new FetchWaiters<Waiter>(20);
        var model = new Dictionary<Guid, Waiter>();
        var readers = Enumerable.Range(0, 30).Select(_ => Guid.NewGuid()).ToArray();
        long bound = 0;
        for (var step = 0; step < 300; step++)
        {
            var reader = readers[random.Next(readers.Length)];
            switch (random.Next(4))
            {
                case 0 or 1:
                    var waiter = new Waiter(reader, bound + random.Next(0, 20));
                    var former = model.GetValueOrDefault(reader);
                    var taken = former is not null || model.Count < 20;
                    Assert.Equal(taken, waiters.TryAdd(waiter));
                    Assert.True(former is null || former.Wakes == 1);
                    if (taken)
                        model[reader] = waiter;
                    break;
                case 2 when model.TryGetValue(reader, out var gone):
                    waiters.Remove(gone);
                    waiters.Remove(gone);
                    model.Remove(reader);
                    Assert.Equal(0, gone.Wakes);
                    break;
                default:
                    bound += random.Next(0, 10);
                    var passed = model.Values.Where(waiting => waiting.Offset < bound).ToList();
                    Assert.Equal(passed.Count, waiters.Wake(bound));
                    Assert.All(passed, waiting => Assert.Equal(1, waiting.Wakes));
                    passed.ForEach(waiting => model.Remove(waiting.ReaderId));
                    break;
            }

            Assert.Equal(model.Count, waiters.Count);
            Assert.All(model.Values, waiting => Assert.Equal(0, waiting.Wakes));
        }

        Assert.Equal(model.Count, waiters.WakeAll());
        Assert.All(model.Values, waiting => Assert.Equal(1, waiting.Wakes));
        Assert.Equal(0, waiters.Count);
    });

    [Fact]
    public void Wake_OfThousandReaders_AllocatesNothing()
    {
        var waiters = new FetchWaiters<Waiter>(1_000);
        var all = Enumerable.Range(0, 1_000).Select(_ => new Waiter(Guid.NewGuid(), 0)).ToArray();
        Array.ForEach(all, waiter => waiters.TryAdd(waiter));
        waiters.Wake(1);
        Array.ForEach(all, waiter => waiters.TryAdd(waiter));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var woken = waiters.Wake(1);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((1_000, 0L), (woken, allocated));
    }

    private sealed class Waiter(Guid readerId, long offset) : IFetchWaiter
    {
        public Guid ReaderId { get; } = readerId;

        public long Offset { get; } = offset;

        public int Wakes { get; private set; }

        public void Wake() => Wakes++;
    }
}
