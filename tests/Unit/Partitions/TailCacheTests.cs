using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class TailCacheTests
{
    [Fact]
    public void Views_UnderRandomAppends_HoldContiguousTailsWithinTheBound() => Seeds.Run(150, random =>
    {
        const int MaxBytes = 2_000;
        var cache = new TailCache(MaxBytes);
        var views = Enumerable.Range(0, 4).Select(_ => cache.NewView()).ToArray();
        var ends = new long[views.Length];
        var order = new List<(int View, long Base, long End, int Bytes)>();
        for (var step = 0; step < 300; step++)
        {
            var i = random.Next(views.Length);
            switch (random.Next(12))
            {
                case 0:
                    var offset = random.NextInt64(0, ends[i] + 1);
                    views[i].DropBefore(offset);
                    order.RemoveAll(batch => batch.View == i && batch.End <= offset);
                    break;
                case 1 when random.Next(5) == 0:
                    views[i].Clear();
                    order.RemoveAll(batch => batch.View == i);
                    break;
                default:
                    var count = random.Next(1, 5);
                    var bytes = random.Next(1, 200);
                    views[i].Add(ends[i], ends[i] + count, new byte[bytes]);
                    order.Add((i, ends[i], ends[i] += count, bytes));
                    while (order.Sum(batch => batch.Bytes) > MaxBytes)
                        order.RemoveAt(0);
                    break;
            }

            Assert.Equal(order.Sum(batch => batch.Bytes), cache.Bytes);
            var mine = order.Where(batch => batch.View == i).ToList();
            Assert.Equal(mine.Count == 0 ? null : (mine[0].Base, ends[i]), views[i].Range);
            Assert.Equal(mine.Count, views[i].Count);
            CheckRead(views[i], mine, random.NextInt64(0, ends[i] + 2), ends[i], random.Next(0, 500), random.Next(2) == 0);
        }
    });

    [Fact]
    public void Slices_OfOneArray_CountTheArrayOnce()
    {
        var cache = new TailCache(1_000);
        var view = cache.NewView();
        var shared = new byte[600];
        view.Add(0, 1, shared.AsMemory(0, 100));
        view.Add(1, 2, shared.AsMemory(100, 100));
        Assert.Equal(600, cache.Bytes);
        view.Add(2, 3, new byte[500]);
        Assert.Equal(500, cache.Bytes);
        Assert.Equal((2L, 3L), view.Range);
    }

    [Fact]
    public void Add_OfABatchAboveTheBound_KeepsNothingOfTheView()
    {
        var cache = new TailCache(100);
        var (view, other) = (cache.NewView(), cache.NewView());
        view.Add(0, 1, new byte[40]);
        other.Add(0, 1, new byte[40]);
        view.Add(1, 2, new byte[101]);
        Assert.Null(view.Range);
        Assert.Equal((0L, 1L), other.Range);
        view.Add(2, 3, new byte[10]);
        Assert.Equal((2L, 3L), view.Range);
    }

    [Fact]
    public void Add_WithAGap_Throws()
    {
        var view = new TailCache(100).NewView();
        view.Add(0, 1, new byte[1]);
        Assert.Throws<InvalidOperationException>(() => view.Add(2, 3, new byte[1]));
    }

    [Fact]
    public async Task Views_OfManyThreads_EndEmptyAndUncounted()
    {
        var cache = new TailCache(10_000);
        await Parallel.ForAsync(0, 8, TestContext.Current.CancellationToken, (i, _) =>
        {
            var random = new Random(i);
            var view = cache.NewView();
            var found = new List<ReadOnlyMemory<byte>>();
            for (var end = 0L; end < 5_000; end++)
            {
                view.Add(end, end + 1, new byte[random.Next(1, 300)]);
                found.Clear();
                view.TryRead(random.NextInt64(0, end + 1), end + 1, 1_000, false, found);
            }

            view.Clear();
            return ValueTask.CompletedTask;
        });
        Assert.Equal(0, cache.Bytes);
    }

    private static void CheckRead(TailView view, List<(int View, long Base, long End, int Bytes)> mine, long offset, long end, int maxBytes, bool strict)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        var isHere = mine.Count > 0 && offset >= mine[0].Base && offset < mine[^1].End;
        Assert.Equal(isHere, view.TryRead(offset, end, maxBytes, strict, found));
        var expected = new List<int>();
        foreach (var batch in mine.Where(batch => isHere && batch.End > offset))
        {
            if (expected.Sum() + batch.Bytes > maxBytes && (strict || expected.Count > 0))
                break;
            expected.Add(batch.Bytes);
        }

        Assert.Equal(expected, found.Select(batch => batch.Length));
    }
}
