using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Apis;

/// <summary>ListOffsets, OffsetForLeaderEpoch and DeleteRecords over a socket.</summary>
public sealed class OffsetApisTests(ApiFixture fixture)
{
    private const long FirstTime = 1_700_000_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(10)]
    public async Task ListOffsets_OfAFilledLog_FindsByEverySpecialValueAndByTime(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 10);

        Assert.Equal(0, (await FindAsync(client, version, topic, OffsetQuery.Earliest)).Offset);
        Assert.Equal(10, (await FindAsync(client, version, topic, OffsetQuery.Latest)).Offset);
        Assert.Equal(0, (await FindAsync(client, version, topic, FirstTime - 1)).Offset);
        var fourth = await FindAsync(client, version, topic, FirstTime + 3);
        Assert.Equal((3, FirstTime + 3), (fourth.Offset, fourth.Timestamp));
        Assert.Equal((-1, ErrorCode.None), Told(await FindAsync(client, version, topic, FirstTime + 10)));
    }

    [Theory]
    [InlineData(OffsetQuery.MaxTimestamp, 7, 9)]
    [InlineData(OffsetQuery.EarliestLocal, 8, 0)]
    [InlineData(OffsetQuery.LatestTiered, 9, -1)]
    public async Task ListOffsets_ByALaterSpecialValue_NeedsItsVersion(long timestamp, short firstVersion, long expected)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 10);

        Assert.Equal((expected, ErrorCode.None), Told(await FindAsync(client, firstVersion, topic, timestamp)));
        Assert.Equal((-1, ErrorCode.UnsupportedVersion), Told(await FindAsync(client, (short)(firstVersion - 1), topic, timestamp)));
    }

    [Fact]
    public async Task ListOffsets_OfAnEmptyLog_IsZeroOrNothing()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await client.NewTopicAsync();

        Assert.Equal((0, ErrorCode.None), Told(await FindAsync(client, 7, topic, OffsetQuery.Earliest)));
        Assert.Equal((0, ErrorCode.None), Told(await FindAsync(client, 7, topic, OffsetQuery.Latest)));
        Assert.Equal((-1, ErrorCode.None), Told(await FindAsync(client, 7, topic, OffsetQuery.MaxTimestamp)));
        Assert.Equal((-1, ErrorCode.None), Told(await FindAsync(client, 7, topic, 0)));
    }

    [Fact]
    public async Task ListOffsets_OfWhatIsNotThere_SaysWhy()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await client.NewTopicAsync();

        Assert.Equal((-1, ErrorCode.UnknownTopicOrPartition), Told(await FindAsync(client, 7, topic, OffsetQuery.Latest, partition: 1)));
        Assert.Equal((-1, ErrorCode.UnknownTopicOrPartition), Told(await FindAsync(client, 7, topic, OffsetQuery.Latest, partition: -1)));
        Assert.Equal((-1, ErrorCode.UnknownTopicOrPartition), Told(await FindAsync(client, 7, $"x-{Guid.NewGuid():N}", OffsetQuery.Latest)));
        Assert.Equal((-1, ErrorCode.UnsupportedVersion), Told(await FindAsync(client, 10, topic, -77)));
    }

    [Fact]
    public async Task ListOffsets_OfAPartitionTwice_IsInvalidRequest()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await client.NewTopicAsync(partitions: 2);
        ListOffsetsRequest.ListOffsetsPartition Latest(int partition) =>
            new() { PartitionIndex = partition, Timestamp = OffsetQuery.Latest, CurrentLeaderEpoch = -1 };

        var response = await client.ListOffsetsAsync(7, new ListOffsetsRequest
        {
            ReplicaId = -1,
            Topics = [new() { Name = topic, Partitions = [Latest(0), Latest(1), Latest(0)] }],
        });

        Assert.Equal(
            [(short)ErrorCode.InvalidRequest, (short)ErrorCode.None, (short)ErrorCode.InvalidRequest],
            Assert.Single(response.Topics).Partitions.Select(partition => partition.ErrorCode));
    }

    [Fact]
    public async Task ListOffsets_WithAnotherLeaderEpoch_IsFenced()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 1);
        var epoch = (await FindAsync(client, 7, topic, OffsetQuery.Latest)).LeaderEpoch;

        Assert.Equal(ErrorCode.None, Told(await FindAsync(client, 7, topic, OffsetQuery.Latest, currentLeaderEpoch: epoch)).Error);
        Assert.Equal(
            ErrorCode.UnknownLeaderEpoch,
            Told(await FindAsync(client, 7, topic, OffsetQuery.Latest, currentLeaderEpoch: epoch + 1)).Error);
        if (epoch > 0)
        {
            Assert.Equal(
                ErrorCode.FencedLeaderEpoch,
                Told(await FindAsync(client, 7, topic, OffsetQuery.Latest, currentLeaderEpoch: epoch - 1)).Error);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task OffsetForLeaderEpoch_OfTheCurrentEpoch_IsTheLogsEnd(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 10);
        var epoch = (await FindAsync(client, 7, topic, OffsetQuery.Latest)).LeaderEpoch;

        var current = await EpochEndAsync(client, version, topic, epoch);
        var later = await EpochEndAsync(client, version, topic, epoch + 5);
        var fenced = await EpochEndAsync(client, version, topic, epoch, currentLeaderEpoch: epoch + 1);
        var unknown = await EpochEndAsync(client, version, $"x-{Guid.NewGuid():N}", 0);

        Assert.Equal(((short)ErrorCode.None, epoch, 10L), (current.ErrorCode, current.LeaderEpoch, current.EndOffset));
        Assert.Equal(((short)ErrorCode.None, -1L), (later.ErrorCode, later.EndOffset));
        Assert.Equal((short)ErrorCode.UnknownLeaderEpoch, fenced.ErrorCode);
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, unknown.ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task DeleteRecords_UpToAnOffset_MovesTheLogStart(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 10);

        Assert.Equal((4, ErrorCode.None), await DeleteAsync(client, version, topic, 4));
        Assert.Equal(4, (await FindAsync(client, 7, topic, OffsetQuery.Earliest)).Offset);
        Assert.Equal((-1, ErrorCode.OffsetOutOfRange), await DeleteAsync(client, version, topic, 11));
        Assert.Equal((-1, ErrorCode.OffsetOutOfRange), await DeleteAsync(client, version, topic, -2));
        Assert.Equal((10, ErrorCode.None), await DeleteAsync(client, version, topic, -1));
        Assert.Equal(10, (await FindAsync(client, 7, topic, OffsetQuery.Earliest)).Offset);
    }

    [Fact]
    public async Task DeleteRecords_OfWhatIsNotThere_SaysSoPerPartition()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var topic = await FilledTopicAsync(client, 3);

        var response = await client.DeleteRecordsAsync(2, new DeleteRecordsRequest
        {
            TimeoutMs = 30_000,
            Topics =
            [
                new() { Name = topic, Partitions = [new() { PartitionIndex = 9, Offset = 0 }, new() { PartitionIndex = 0, Offset = 2 }] },
                new() { Name = $"x-{Guid.NewGuid():N}", Partitions = [new() { PartitionIndex = 0, Offset = 0 }] },
            ],
        });

        Assert.Equal(
            [(short)ErrorCode.UnknownTopicOrPartition, (short)ErrorCode.None],
            response.Topics[0].Partitions.Select(partition => partition.ErrorCode));
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single(response.Topics[1].Partitions).ErrorCode);
    }

    private static async Task<string> FilledTopicAsync(ApiClient client, int count)
    {
        var topic = await client.NewTopicAsync();
        await client.ProduceAsync(topic, partition: 0, count, FirstTime);
        return topic;
    }

    private static async Task<ListOffsetsResponse.ListOffsetsPartitionResponse> FindAsync(
        ApiClient client,
        short version,
        string topic,
        long timestamp,
        int partition = 0,
        int currentLeaderEpoch = -1)
    {
        var response = await client.ListOffsetsAsync(version, new ListOffsetsRequest
        {
            ReplicaId = -1,
            Topics =
            [
                new()
                {
                    Name = topic,
                    Partitions = [new() { PartitionIndex = partition, Timestamp = timestamp, CurrentLeaderEpoch = currentLeaderEpoch }],
                },
            ],
        });
        return Assert.Single(Assert.Single(response.Topics).Partitions);
    }

    private static (long Offset, ErrorCode Error) Told(ListOffsetsResponse.ListOffsetsPartitionResponse answer) =>
        (answer.Offset, (ErrorCode)answer.ErrorCode);

    private static async Task<OffsetForLeaderEpochResponse.EpochEndOffset> EpochEndAsync(
        ApiClient client,
        short version,
        string topic,
        int leaderEpoch,
        int currentLeaderEpoch = -1)
    {
        var response = await client.OffsetForLeaderEpochAsync(version, new OffsetForLeaderEpochRequest
        {
            Topics =
            [
                new()
                {
                    Topic = topic,
                    Partitions = [new() { Partition = 0, LeaderEpoch = leaderEpoch, CurrentLeaderEpoch = currentLeaderEpoch }],
                },
            ],
        });
        return Assert.Single(Assert.Single(response.Topics).Partitions);
    }

    private static async Task<(long LowWatermark, ErrorCode Error)> DeleteAsync(ApiClient client, short version, string topic, long offset)
    {
        var response = await client.DeleteRecordsAsync(version, new DeleteRecordsRequest
        {
            TimeoutMs = 30_000,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Offset = offset }] }],
        });
        var answer = Assert.Single(Assert.Single(response.Topics).Partitions);
        return (answer.LowWatermark, (ErrorCode)answer.ErrorCode);
    }
}
