using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Fetching;
using Granary.Support.Time;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

public sealed class FetchSessionTests
{
    private static readonly TimeSpan s_longEnough = TimeSpan.FromMinutes(3);

    private readonly FakeClock _clock = new();

    [Fact]
    public void Begin_WithoutSession_AnswersAllAndOpensNone()
    {
        var cache = Cache();
        var plan = cache.Begin(new FetchSessionAsk(0, -1, true), Asks(0, 1), []);

        Assert.Equal(2, plan.Partitions.Count);
        Assert.Equal([true, true], Finish(cache, plan, out var id, Nothing, Nothing));
        Assert.Equal(0, id);
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public void Finish_OfIncrementalFetch_NamesOnlyWhatIsNew()
    {
        var cache = Cache();
        var id = Open(cache, 0, 1, 2);
        var plan = cache.Begin(new FetchSessionAsk(id, 1, true), [], []);

        var isNews = Finish(cache, plan, out _, Nothing, Nothing with { RecordsBytes = 10 }, Nothing with { HighWatermark = 6 });
        Assert.Equal([false, true, true], isNews);

        plan = cache.Begin(new FetchSessionAsk(id, 2, true), [], []);
        // The one that gave records is last in line now; the new high watermark is known.
        Assert.Equal([0, 2, 1], plan.Partitions.Select(partition => partition.Ask.Key.Index));
        Assert.Equal([false, false, false], Finish(cache, plan, out _, Nothing, Nothing with { HighWatermark = 6 }, Nothing));
    }

    [Fact]
    public void Finish_AfterAnError_NamesThePartitionAgain()
    {
        var cache = Cache();
        var id = Open(cache, 0);
        var failed = new FetchNews(ErrorCode.NotLeaderOrFollower, -1, -1, 0);

        Assert.Equal([true], Finish(cache, cache.Begin(new FetchSessionAsk(id, 1, true), [], []), out _, failed));
        Assert.Equal([true], Finish(cache, cache.Begin(new FetchSessionAsk(id, 2, true), [], []), out _, failed));
        Assert.Equal([true], Finish(cache, cache.Begin(new FetchSessionAsk(id, 3, true), [], []), out _, Nothing));
        Assert.Equal([false], Finish(cache, cache.Begin(new FetchSessionAsk(id, 4, true), [], []), out _, Nothing));
    }

    [Fact]
    public void Begin_WithWrongEpoch_IsRefusedAndChangesNothing()
    {
        var cache = Cache();
        var id = Open(cache, 0);

        Assert.Equal(ErrorCode.InvalidFetchSessionEpoch, cache.Begin(new FetchSessionAsk(id, 2, true), [], []).Error);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, cache.Begin(new FetchSessionAsk(id + 1, 1, true), [], []).Error);
        Assert.Equal(ErrorCode.FetchSessionTopicIdError, cache.Begin(new FetchSessionAsk(id, 1, false), [], []).Error);
        Assert.Equal(ErrorCode.None, cache.Begin(new FetchSessionAsk(id, 1, true), [], []).Error);
    }

    [Fact]
    public void Begin_WithForgottenAndNewPartitions_ChangesTheSession()
    {
        var cache = Cache();
        var id = Open(cache, 0, 1);

        var plan = cache.Begin(new FetchSessionAsk(id, 1, true), Asks(2), [Key(0)]);
        Assert.Equal([1, 2], plan.Partitions.Select(partition => partition.Ask.Key.Index));

        plan = cache.Begin(new FetchSessionAsk(id, 2, true), [Ask(1) with { Offset = 77 }], []);
        Assert.Equal(77, plan.Partitions[0].Ask.Offset);
    }

    [Fact]
    public void Begin_ThatForgetsEverything_EndsTheSession()
    {
        var cache = Cache();
        var id = Open(cache, 0);

        var plan = cache.Begin(new FetchSessionAsk(id, 1, true), [], [Key(0)]);
        Assert.Empty(Finish(cache, plan, out var answered));
        Assert.Equal(0, answered);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, cache.Begin(new FetchSessionAsk(id, 2, true), [], []).Error);
    }

    [Fact]
    public void Begin_OfFullFetch_EndsTheSessionItNames()
    {
        var cache = Cache();
        var id = Open(cache, 0);
        cache.Begin(new FetchSessionAsk(id, -1, true), Asks(0), []);
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public void Epoch_PastTheLargest_GoesOnWithOne()
    {
        var session = new FetchSession(1, true, [new FetchedPartition(Ask(0))]);
        var epoch = typeof(FetchSession).GetProperty(nameof(FetchSession.ExpectedEpoch))!;
        epoch.SetValue(session, int.MaxValue);
        Assert.Equal(ErrorCode.None, session.Advance(int.MaxValue, true));
        Assert.Equal(1, session.ExpectedEpoch);
    }

    [Fact]
    public void Open_WhereAllPlacesAreFresh_GivesNoSession()
    {
        var cache = Cache(slots: 2);
        Open(cache, 0);
        Open(cache, 0);
        Assert.Equal(0, Open(cache, 0, 1, 2));
        Assert.Equal(2, cache.Count);
    }

    [Fact]
    public void Open_WhereOneIsLongUnused_TakesItsPlace()
    {
        var cache = Cache(slots: 2);
        var unused = Open(cache, 0, 1, 2, 3);
        _clock.Advance(s_longEnough);
        var used = Open(cache, 0);
        Assert.NotEqual(0, Open(cache, 0));
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, cache.Begin(new FetchSessionAsk(unused, 1, true), [], []).Error);
        Assert.Equal(ErrorCode.None, cache.Begin(new FetchSessionAsk(used, 1, true), [], []).Error);
    }

    [Fact]
    public void Open_WhereAllAreUsed_TakesTheSmallestOldOnesPlaceIfNotSmallerItself()
    {
        var cache = Cache(slots: 2);
        var small = Open(cache, 0, 1);
        var large = Open(cache, 0, 1, 2);
        _clock.Advance(s_longEnough);
        cache.Begin(new FetchSessionAsk(small, 1, true), [], []);
        cache.Begin(new FetchSessionAsk(large, 1, true), [], []);

        Assert.Equal(0, Open(cache, 0));
        Assert.NotEqual(0, Open(cache, 0, 1));
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, cache.Begin(new FetchSessionAsk(small, 2, true), [], []).Error);
    }

    [Fact]
    public void Open_BeyondAllPartitions_GivesNoSession()
    {
        var cache = new FetchSessionCache(new KafkaOptions { MaxFetchSessionPartitions = 3 }, _clock);
        var id = Open(cache, 0, 1);
        Assert.Equal(0, Open(cache, 0, 1));
        Assert.NotEqual(0, Open(cache, 0));
        // One that grows beyond it is ended.
        var plan = cache.Begin(new FetchSessionAsk(id, 1, true), Asks(2, 3), []);
        Assert.Null(plan.Session);
        Assert.Equal(4, plan.Partitions.Count);
        Assert.Equal(1, cache.Count);
    }

    private static FetchNews Nothing => new(ErrorCode.None, 5, 0, 0);

    private static FetchKey Key(int index) => new(new Guid(1, 2, 3, new byte[8]), "", index);

    private static FetchAsk Ask(int index) => new(Key(index), 0, 1000, -1);

    private static FetchAsk[] Asks(params int[] indexes) => [.. indexes.Select(Ask)];

    private static int Open(FetchSessionCache cache, params int[] indexes)
    {
        var plan = cache.Begin(new FetchSessionAsk(0, 0, true), Asks(indexes), []);
        Finish(cache, plan, out var id, [.. indexes.Select(_ => Nothing)]);
        return id;
    }

    private static bool[] Finish(FetchSessionCache cache, FetchPlan plan, out int id, params FetchNews[] news)
    {
        var isNews = new bool[news.Length];
        id = cache.Finish(plan, news, isNews);
        return isNews;
    }

    private FetchSessionCache Cache(int slots = 10) => new(new KafkaOptions { FetchSessionSlots = slots }, _clock);
}
