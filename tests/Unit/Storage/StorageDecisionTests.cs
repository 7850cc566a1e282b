using Granary.Grains.Storage;
using Npgsql;
using Xunit;

namespace Granary.Unit.Storage;

public sealed class StorageDecisionTests
{
    private static readonly DateTime _now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly StorageOptions _options = new() { SlabBytes = 1 << 20, SlabAge = TimeSpan.FromDays(1) };

    [Theory]
    [InlineData("ERROR", "53100", true, FlushFailureKind.NotWritten)]
    [InlineData("ERROR", "53100", false, FlushFailureKind.NotWritten)]
    [InlineData("ERROR", "40P01", true, FlushFailureKind.Retry)]
    [InlineData("ERROR", "42P01", false, FlushFailureKind.Retry)]
    [InlineData("ERROR", "57014", true, FlushFailureKind.Unknown)]
    [InlineData("FATAL", "57P01", true, FlushFailureKind.Unknown)]
    [InlineData("FATAL", "57P01", false, FlushFailureKind.NotWritten)]
    [InlineData("PANIC", "XX000", true, FlushFailureKind.Unknown)]
    public void Classify_OfAServersAnswer(string severity, string state, bool commitWasSent, object kind) =>
        Assert.Equal(kind, FlushFailure.Classify(new PostgresException("no", severity, severity, state), commitWasSent));

    [Theory]
    [InlineData(true, FlushFailureKind.Unknown)]
    [InlineData(false, FlushFailureKind.NotWritten)]
    public void Classify_OfALostConnection_AsksWhetherCommitWasSent(bool commitWasSent, object kind)
    {
        Assert.Equal(kind, FlushFailure.Classify(new NpgsqlException("gone", new IOException()), commitWasSent));
        Assert.Equal(kind, FlushFailure.Classify(new OperationCanceledException(), commitWasSent));
    }

    [Fact]
    public void ShouldRoll_BySizeByAgeAndWhereMostIsDead()
    {
        var full = Slab(SlabFamily.Unbounded, _now, live: 1 << 20, table: 1 << 20);
        Assert.True(SlabKeeper.ShouldRoll(full, _options, _now));
        Assert.False(SlabKeeper.ShouldRoll(full with { ClosedAt = _now }, _options, _now));
        Assert.False(SlabKeeper.ShouldRoll(full with { TableBytes = 1000, LiveBytes = 900 }, _options, _now));
        Assert.True(SlabKeeper.ShouldRoll(full with { TableBytes = 100_000, LiveBytes = 1_000 }, _options, _now));
        Assert.True(SlabKeeper.ShouldRoll(full with { TableBytes = 1000, LiveBytes = 900, CreatedAt = _now.AddDays(-1) }, _options, _now));
        Assert.False(SlabKeeper.ShouldRoll(full with { TableBytes = 0, LiveBytes = 0, CreatedAt = _now.AddDays(-9) }, _options, _now));
    }

    [Fact]
    public void ShouldCopyForward_OnlyWhatIsClosedForAWhileAndMostlyDead()
    {
        var slab = Slab(1, _now.AddDays(-1), live: 100, table: 1000) with { ClosedAt = _now.AddHours(-1), LiveSegments = 1 };
        Assert.True(SlabKeeper.ShouldCopyForward(slab, _options, _now));
        Assert.False(SlabKeeper.ShouldCopyForward(slab with { ClosedAt = null }, _options, _now));
        Assert.False(SlabKeeper.ShouldCopyForward(slab with { ClosedAt = _now }, _options, _now));
        Assert.False(SlabKeeper.ShouldCopyForward(slab with { LiveBytes = 800 }, _options, _now));
        Assert.False(SlabKeeper.ShouldCopyForward(slab with { LiveSegments = 0, LiveBytes = 0 }, _options, _now));
    }

    [Fact]
    public void Of_PutsAlikeRetentionsTogether()
    {
        Assert.Equal(SlabFamily.Unbounded, SlabFamily.Of(null));
        Assert.Equal(SlabFamily.Of(TimeSpan.FromDays(6)), SlabFamily.Of(TimeSpan.FromDays(7)));
        Assert.NotEqual(SlabFamily.Of(TimeSpan.FromMinutes(1)), SlabFamily.Of(TimeSpan.FromDays(7)));
        Assert.Equal(SlabFamily.Count - 1, SlabFamily.Of(TimeSpan.FromDays(400)));
        Assert.Equal(TimeSpan.FromMinutes(15), SlabFamily.SlabAge(SlabFamily.Of(TimeSpan.Zero), TimeSpan.FromDays(1)));
        Assert.Equal(TimeSpan.FromDays(1), SlabFamily.SlabAge(SlabFamily.Unbounded, TimeSpan.FromDays(1)));
    }

    [Fact]
    public void Slice_CutsAsAReadDoes()
    {
        List<StoredBatch> batches = [.. Enumerable.Range(0, 10).Select(i => new StoredBatch(i * 10, (i * 10) + 10, 0, new byte[100]))];
        Assert.Equal([20L, 30L], ReadAheadBlock.Slice(batches, 25, 100, 250).Select(batch => batch.BaseOffset));
        Assert.Equal([20L], ReadAheadBlock.Slice(batches, 25, 100, 1).Select(batch => batch.BaseOffset));
        Assert.Equal([80L], ReadAheadBlock.Slice(batches, 80, 90, 1000).Select(batch => batch.BaseOffset));
        Assert.Empty(ReadAheadBlock.Slice(batches, 100, 200, 1000));
    }

    [Fact]
    public void Validate_NamesTheWrongValue()
    {
        Assert.Empty(new StorageOptions().Validate());
        Assert.Equal(["Lanes is 0: 1 to 64 is wanted."], new StorageOptions { Lanes = 0 }.Validate());
    }

    private static SlabState Slab(int family, DateTime createdAt, long live, long table) => new(1, family, createdAt, null, live, 1, table);
}
