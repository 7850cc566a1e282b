using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Positions of topics that this process has not heard of: the catalog is asked, and may be slow or away.</summary>
public sealed class OffsetApisTests
{
    private const short CommitVersion = 8;
    private const short FetchVersion = 7;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commits_OfOneConnection_DoNotOvertakeOneThatWaitsForTheCatalog()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("known");
        await using var client = await gateway.ConnectAsync();
        await ReceiveAsync(client, await SendAsync(client, "known", 1));
        var (asked, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        gateway.Cluster.AddTopic("new");
        gateway.Cluster.BeforeCatalog = async () =>
        {
            asked.TrySetResult();
            await gate.Task;
        };

        var first = await SendAsync(client, "new", 2);
        var second = await SendAsync(client, "known", 3);
        await using var other = await gateway.ConnectAsync();
        await asked.Task.WaitAsync(Cancellation);
        await ReceiveAsync(other, await SendAsync(other, "known", 4));
        gate.SetResult();
        Assert.Equal(ErrorCode.None, await ReceiveAsync(client, first));
        Assert.Equal(ErrorCode.None, await ReceiveAsync(client, second));

        Assert.Equal([1, 2, 3], gateway.Cluster.Groups.Committed.Where(offset => offset != 4));
    }

    [Fact]
    public async Task CommitDeleteAndFetch_WithoutTheCatalog_AreToldToComeAgain()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.BeforeCatalog = static () => throw new TimeoutException("away");
        gateway.Cluster.Groups.Kept = [new CommittedOffset(new PartitionId(Guid.NewGuid(), 0), 5, -1, "")];
        await using var client = await gateway.ConnectAsync();

        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, await ReceiveAsync(client, await SendAsync(client, "new", 1)));
        var delete = new OffsetDeleteRequest { GroupId = "g", Topics = [new() { Name = "new", Partitions = [new() { PartitionIndex = 0 }] }] };
        var id = await client.SendAsync(OffsetDeleteRequest.ApiKey, 0, writer => delete.Write(writer, 0), Cancellation);
        var deleted = await client.ReceiveAsync(id, false, OffsetDeleteResponse.Read, 0, Cancellation);
        Assert.Equal((short)ErrorCode.CoordinatorLoadInProgress, deleted.Topics[0].Partitions[0].ErrorCode);
        Assert.Equal((short)ErrorCode.CoordinatorLoadInProgress, (await FetchAllAsync(client)).ErrorCode);
    }

    [Fact]
    public async Task Fetch_OfAllPositions_NamesTopicsThatThisProcessHadNotHeardOf()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("new");
        gateway.Cluster.Groups.Kept =
        [
            new CommittedOffset(new PartitionId(topic.TopicId, 0), 5, -1, ""), new CommittedOffset(new PartitionId(Guid.NewGuid(), 0), 7, -1, ""),
        ];
        await using var client = await gateway.ConnectAsync();

        var only = Assert.Single((await FetchAllAsync(client)).Topics);

        Assert.Equal(("new", 5L), (only.Name, Assert.Single(only.Partitions).CommittedOffset));
    }

    [Fact]
    public async Task Fetch_FromACoordinatorThatIsBetweenSilos_WaitsForIt()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxCoordinatorWait = TimeSpan.FromMinutes(1));
        var topic = gateway.Cluster.AddTopic("new");
        gateway.Cluster.Groups.Kept = [new CommittedOffset(new PartitionId(topic.TopicId, 0), 5, -1, "")];
        var answers = new Queue<Func<Task<ErrorCode>>>(
        [
            () => Task.FromResult(ErrorCode.NotCoordinator),
            () => throw new TimeoutException("away"),
            () => Task.FromResult(ErrorCode.CoordinatorLoadInProgress),
            () => Task.FromResult(ErrorCode.None),
        ]);
        gateway.Cluster.Groups.BeforeFetch = () => answers.Dequeue()();
        await using var client = await gateway.ConnectAsync();

        var answer = await FetchAllAsync(client);

        Assert.Equal((short)ErrorCode.None, answer.ErrorCode);
        Assert.Equal(5, Assert.Single(Assert.Single(answer.Topics).Partitions).CommittedOffset);
        Assert.Empty(answers);
    }

    /// <summary>NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE would be the end of these partitions for librdkafka.</summary>
    [Theory]
    [InlineData(ErrorCode.NotCoordinator)]
    [InlineData(ErrorCode.CoordinatorNotAvailable)]
    [InlineData(null)]
    public async Task Fetch_FromACoordinatorThatStaysAway_IsToldToComeAgainInTime(ErrorCode? error)
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxCoordinatorWait = TimeSpan.FromMilliseconds(50));
        gateway.Cluster.Groups.BeforeFetch = () => error is { } told ? Task.FromResult(told) : new TaskCompletionSource<ErrorCode>().Task;
        await using var client = await gateway.ConnectAsync();

        Assert.Equal((short)ErrorCode.CoordinatorLoadInProgress, (await FetchAllAsync(client)).ErrorCode);
    }

    [Theory]
    [InlineData(5, ErrorCode.None, null)]
    [InlineData(6, ErrorCode.GroupIdNotFound, "Group g not found.")]
    public async Task Describe_OfAGroupThatDoesNotExist_SaysSo(short version, ErrorCode error, string? message)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        var request = new DescribeGroupsRequest { Groups = ["g"] };
        var id = await client.SendAsync(DescribeGroupsRequest.ApiKey, version, writer => request.Write(writer, version), Cancellation);
        var response = await client.ReceiveAsync(id, DescribeGroupsRequest.IsFlexible(version), DescribeGroupsResponse.Read, version, Cancellation);

        var group = Assert.Single(response.Groups);
        Assert.Equal(((short)error, "Dead", message), (group.ErrorCode, group.GroupState, group.ErrorMessage));
    }

    private static Task<int> SendAsync(KafkaWire client, string topic, long offset)
    {
        var request = new OffsetCommitRequest
        {
            GroupId = "g",
            GenerationIdOrMemberEpoch = -1,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, CommittedOffset = offset, CommittedMetadata = "" }] }],
        };
        return client.SendAsync(OffsetCommitRequest.ApiKey, CommitVersion, writer => request.Write(writer, CommitVersion), Cancellation);
    }

    private static async Task<ErrorCode> ReceiveAsync(KafkaWire client, int id)
    {
        var response = await client.ReceiveAsync(id, OffsetCommitRequest.IsFlexible(CommitVersion), OffsetCommitResponse.Read, CommitVersion, Cancellation);
        return (ErrorCode)Assert.Single(Assert.Single(response.Topics).Partitions).ErrorCode;
    }

    private static async Task<OffsetFetchResponse> FetchAllAsync(KafkaWire client)
    {
        var request = new OffsetFetchRequest { GroupId = "g", Topics = null };
        var id = await client.SendAsync(OffsetFetchRequest.ApiKey, FetchVersion, writer => request.Write(writer, FetchVersion), Cancellation);
        return await client.ReceiveAsync(id, OffsetFetchRequest.IsFlexible(FetchVersion), OffsetFetchResponse.Read, FetchVersion, Cancellation);
    }
}
