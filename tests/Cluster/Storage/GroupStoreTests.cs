using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>Positions in a real PostgreSQL: durable when answered, in order, and out of reach for a former coordinator.</summary>
public sealed class GroupStoreTests(PrivatePostgres server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_ByAFormerCoordinator_IsFencedAndChangesNothing()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        await using var other = Start(test);
        var partition = TestStore.NewPartition();
        var old = (await store.CreateAsync("g", 10, Cancellation))!.Owned;
        Assert.Equal(GroupWriteOutcome.Written, await store.WriteAsync(old, [Write(partition, 5)]));
        var opened = (await other.OpenAsync("g", Cancellation))!;
        Assert.Equal(5, Assert.Single(opened.Offsets).Committed.Offset);
        Assert.Equal(GroupWriteOutcome.Written, await other.WriteAsync(opened.Owned, [Write(partition, 9)]));

        var beside = (await store.CreateAsync("h", 10, Cancellation))!.Owned;
        var (late, fine) = (store.WriteAsync(old, [Write(partition, 6)]), store.WriteAsync(beside, [Write(partition, 1)]));

        Assert.Equal((GroupWriteOutcome.Fenced, GroupWriteOutcome.Written), (await late, await fine));
        Assert.False(await store.DeleteAsync(old, Cancellation));
        Assert.Equal(9, Assert.Single((await store.OpenAsync("g", Cancellation))!.Offsets).Committed.Offset);
    }

    [Fact]
    public async Task Writes_OfOnePartition_TakeEffectInTheirOrder_AndKeepWhatClientsWroteBeside()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        var (kept, forgotten) = (TestStore.NewPartition(), TestStore.NewPartition(3));
        var owned = (await store.CreateAsync("g", 10, Cancellation))!.Owned;

        var writes = Enumerable.Range(0, 500).Select(offset => store.WriteAsync(owned, [Write(kept, offset), Write(forgotten, offset)])).ToList();
        writes.Add(store.WriteAsync(owned, [new OffsetWrite(forgotten, null)]));
        await Task.WhenAll(writes);

        Assert.All(writes, write => Assert.Equal(GroupWriteOutcome.Written, write.Result));
        var only = Assert.Single((await store.OpenAsync("g", Cancellation))!.Offsets).Committed;
        Assert.Equal((499L, 2, "a\0ü"), (only.Offset, only.LeaderEpoch, only.Metadata));
        Assert.InRange(await test.QueryAsync<long>("SELECT count(*) FROM granary.group_offset"), 1, 1);
    }

    [Fact]
    public async Task Flush_WhoseFirstCopyIsCarriedOutLate_PutsNothingBack()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        var (moved, forgotten, back) = (TestStore.NewPartition(), TestStore.NewPartition(), TestStore.NewPartition());
        var owned = (await store.CreateAsync("g", 10, Cancellation))!.Owned;
        await using var connection = await test.Source.OpenConnectionAsync(Cancellation);

        // As the writer does: a first copy whose fate is unknown (here nobody carried it out yet), the same once more, and the next one.
        var (first, again) = (new OffsetFlush(), new OffsetFlush());
        foreach (var copy in new[] { first, again })
        {
            copy.Clear();
            Assert.True(copy.TryAdd(owned, [Write(moved, 5), Write(forgotten, 5), new OffsetWrite(back, null)]));
        }

        Assert.Equal([owned.Number], await again.WriteAsync(connection, Cancellation));
        again.Clear();
        Assert.True(again.TryAdd(owned, [Write(moved, 9), new OffsetWrite(forgotten, null), Write(back, 3)]));
        Assert.Equal([owned.Number], await again.WriteAsync(connection, Cancellation));

        await first.WriteAsync(connection, Cancellation);

        var found = (await store.OpenAsync("g", Cancellation))!.Offsets.ToDictionary(one => one.Committed.Partition, one => one.Committed.Offset);
        Assert.Equal(new Dictionary<PartitionId, long> { [moved] = 9, [back] = 3 }, found);
    }

    [Fact]
    public async Task Flush_ThatWaitsForItsOwnFirstCopy_IsTakenForDone()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        var partition = TestStore.NewPartition();
        var owned = (await store.CreateAsync("g", 10, Cancellation))!.Owned;
        var flush = new OffsetFlush();
        flush.Clear();
        Assert.True(flush.TryAdd(owned, [Write(partition, 5)]));
        await using var connection = await test.Source.OpenConnectionAsync(Cancellation);
        await using var other = await test.Source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        Assert.Equal([owned.Number], await flush.WriteAsync(connection, Cancellation));

        var again = flush.WriteAsync(other, Cancellation);
        while (await test.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
            Assert.False(again.IsCompleted);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal([owned.Number], await again);
        Assert.Equal(5, Assert.Single((await store.OpenAsync("g", Cancellation))!.Offsets).Committed.Offset);
    }

    [Fact]
    public async Task Groups_AreListedDeletedAndBounded()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        await using var otherCluster = Start(test, "other");
        var one = (await store.CreateAsync("one", 2, Cancellation))!.Owned;
        await store.CreateAsync("two", 2, Cancellation);

        Assert.Null(await store.CreateAsync("three", 2, Cancellation));
        Assert.True(await store.NoteAsync(one, "consumer", GroupState.Stable, GroupType.Classic, Cancellation));
        Assert.Equal([new("one", "consumer", GroupState.Stable), new("two", "", GroupState.Empty)], await store.ListAsync(Cancellation));
        Assert.Empty(await otherCluster.ListAsync(Cancellation));
        await store.WriteAsync(one, [Write(TestStore.NewPartition(), 1)]);
        var page = Assert.Single(await store.ListExpiredAsync(DateTimeOffset.UtcNow.AddHours(-1), [], after: 0, 1, Cancellation));
        Assert.Equal(("one", one.Number), page);
        Assert.Equal(["two"], (await store.ListExpiredAsync(DateTimeOffset.UtcNow.AddHours(-1), [], page.Number, 10, Cancellation)).Select(group => group.GroupId));
        Assert.True(await store.DeleteAsync(one, Cancellation));
        Assert.Equal(0, await test.QueryAsync<long>("SELECT count(*) FROM granary.group_offset"));
        Assert.Null(await store.OpenAsync("one", Cancellation));
        var again = (await store.CreateAsync("one", 2, Cancellation))!.Owned;
        Assert.True(again.OwnerEpoch > one.OwnerEpoch);
        Assert.Equal(GroupWriteOutcome.Fenced, await store.WriteAsync(one, [Write(TestStore.NewPartition(), 1)]));
    }

    [Fact]
    public async Task Resets_AreWrittenWithTheirPositions_OnceEach_AndBounded()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var store = Start(test);
        await using var other = Start(test);
        var partition = TestStore.NewPartition();
        var owned = (await store.CreateAsync("g", 10, Cancellation))!.Owned;
        var entries = Enumerable.Range(0, 5).Select(i => new ResetEntry(
            new RecordedReset(Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddSeconds(i), $"by {i}", "ü", i % 2 == 0, [new ResetChange(partition, i, i + 1, 3)]), Keep: 3)).ToArray();

        // All at once: two resets of a group never share a flush. The last one is written twice, as after a lost answer.
        await Task.WhenAll(entries.Append(entries[4]).Select(entry => store.WriteAsync(owned, [Write(partition, entry.Reset.Changes[0].To)], entry)));

        var history = await store.ListResetsAsync("g", 10, Cancellation);
        Assert.Equal(["by 4", "by 3", "by 2"], history.Select(reset => reset.By));
        Assert.Equal(entries[4].Reset with { Changes = [] }, history[0] with { Changes = [] });
        Assert.Equal(entries[4].Reset.Changes, history[0].Changes);
        Assert.Single(await store.ListResetsAsync("g", 1, Cancellation));
        var opened = (await other.OpenAsync("g", Cancellation))!;
        Assert.Equal(5, Assert.Single(opened.Offsets).Committed.Offset);

        var late = entries[0] with { Reset = entries[0].Reset with { ResetId = Guid.NewGuid(), By = "late" } };
        Assert.Equal(GroupWriteOutcome.Fenced, await store.WriteAsync(owned, [Write(partition, 99)], late));

        Assert.DoesNotContain("late", (await store.ListResetsAsync("g", 10, Cancellation)).Select(reset => reset.By));
        Assert.True(await other.DeleteAsync(opened.Owned, Cancellation));
        Assert.Equal(0, await test.QueryAsync<long>("SELECT count(*) FROM granary.group_resets"));
    }

    private static OffsetWrite Write(PartitionId partition, long offset) =>
        new(partition, new KeptOffset(new CommittedOffset(partition, offset, 2, "a\0ü"), DateTimeOffset.UtcNow));

    private static PostgresGroupStore Start(TestStore test, string clusterId = "c")
    {
        var store = new PostgresGroupStore(test.Source, clusterId, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        store.Start();
        return store;
    }
}
