using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Apis;

public sealed class MetadataApiTests(ApiFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(13)]
    public async Task Metadata_ByName_TellsEveryPartitionsLeader(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync(partitions: 3);

        var response = await client.MetadataAsync(version, Names(name));

        var broker = Assert.Single(response.Brokers);
        var topic = Assert.Single(response.Topics);
        Assert.Equal((short)ErrorCode.None, topic.ErrorCode);
        Assert.Equal(name, topic.Name);
        Assert.Equal([0, 1, 2], topic.Partitions.Select(partition => partition.PartitionIndex));
        Assert.All(topic.Partitions, partition =>
        {
            Assert.Equal(broker.NodeId, partition.LeaderId);
            Assert.Equal([broker.NodeId], partition.ReplicaNodes);
            Assert.Equal([broker.NodeId], partition.IsrNodes);
        });
    }

    [Fact]
    public async Task Metadata_ByTopicId_FindsTheTopicAndRefusesOtherIds()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();
        var topicId = Assert.Single((await client.MetadataAsync(12, Names(name))).Topics).TopicId;
        var unknown = Guid.NewGuid();

        var response = await client.MetadataAsync(12, new MetadataRequest
        {
            Topics = [new() { Name = null, TopicId = topicId }, new() { Name = null, TopicId = unknown }],
        });

        Assert.Equal(name, response.Topics.Single(topic => topic.TopicId == topicId).Name);
        Assert.Equal((short)ErrorCode.UnknownTopicId, response.Topics.Single(topic => topic.TopicId == unknown).ErrorCode);
    }

    [Fact]
    public async Task Metadata_ByTopicIdBeforeVersion12_IsInvalidRequest()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var response = await client.MetadataAsync(10, new MetadataRequest { Topics = [new() { Name = "x", TopicId = Guid.NewGuid() }] });

        Assert.Equal((short)ErrorCode.InvalidRequest, Assert.Single(response.Topics).ErrorCode);
    }

    [Fact]
    public async Task Metadata_OfAnEmptyList_MeansAllInVersion0AndNoneLater()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        Assert.Contains((await client.MetadataAsync(0, Names())).Topics, topic => topic.Name == name);
        Assert.Empty((await client.MetadataAsync(1, Names())).Topics);
        Assert.Contains((await client.MetadataAsync(1, new MetadataRequest { Topics = null })).Topics, topic => topic.Name == name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public async Task Metadata_OfAnUnknownTopic_CreatesItWhereAllowed(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = $"auto-{Guid.NewGuid():N}";
        var request = Names(name);
        request.AllowAutoTopicCreation = true;

        var topic = Assert.Single((await client.MetadataAsync(version, request)).Topics);

        Assert.Equal((short)ErrorCode.None, topic.ErrorCode);
        Assert.NotEmpty(topic.Partitions);
    }

    [Fact]
    public async Task Metadata_OfAnUnknownTopic_WithoutLeaveToCreate_IsUnknown()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var request = Names($"not-there-{Guid.NewGuid():N}");
        request.AllowAutoTopicCreation = false;

        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single((await client.MetadataAsync(9, request)).Topics).ErrorCode);
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single((await client.MetadataAsync(9, request)).Topics).ErrorCode);
    }

    [Theory]
    [InlineData("no spaces")]
    [InlineData("")]
    [InlineData("..")]
    public async Task Metadata_OfAnInvalidName_IsRefused(string name)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        Assert.Equal((short)ErrorCode.InvalidTopicException, Assert.Single((await client.MetadataAsync(4, Names(name))).Topics).ErrorCode);
    }

    [Fact]
    public async Task Metadata_OfANameTwice_AnswersOnce()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        Assert.Single((await client.MetadataAsync(9, Names(name, name))).Topics);
    }

    [Fact]
    public async Task DescribeTopicPartitions_PageByPage_ShowsAllAndThenNoCursor()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync(partitions: 5);
        var request = new DescribeTopicPartitionsRequest { Topics = [new() { Name = name }], ResponsePartitionLimit = 3 };

        var first = await client.DescribeTopicPartitionsAsync(request);
        Assert.Equal([0, 1, 2], Assert.Single(first.Topics).Partitions.Select(partition => partition.PartitionIndex));
        Assert.Equal(name, first.NextCursor?.TopicName);
        Assert.Equal(3, first.NextCursor?.PartitionIndex);

        request.Cursor = new() { TopicName = name, PartitionIndex = 3 };
        var second = await client.DescribeTopicPartitionsAsync(request);
        Assert.Equal([3, 4], Assert.Single(second.Topics).Partitions.Select(partition => partition.PartitionIndex));
        Assert.Null(second.NextCursor);
    }

    [Fact]
    public async Task DescribeTopicPartitions_OfWhatIsNotThere_SaysWhy()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var request = new DescribeTopicPartitionsRequest { Topics = [new() { Name = "not valid" }, new() { Name = $"x-{Guid.NewGuid():N}" }] };

        var errors = (await client.DescribeTopicPartitionsAsync(request)).Topics.Select(topic => topic.ErrorCode);
        Assert.Equal([(short)ErrorCode.InvalidTopicException, (short)ErrorCode.UnknownTopicOrPartition], errors);

        request.Cursor = new() { TopicName = "a", PartitionIndex = -1 };
        Assert.All((await client.DescribeTopicPartitionsAsync(request)).Topics, topic => Assert.Equal((short)ErrorCode.InvalidRequest, topic.ErrorCode));
    }

    [Theory]
    [InlineData(0, 1, ErrorCode.None)]
    [InlineData(1, 1, ErrorCode.None)]
    [InlineData(2, 1, ErrorCode.None)]
    [InlineData(1, 2, ErrorCode.MismatchedEndpointType)]
    [InlineData(2, 9, ErrorCode.UnsupportedEndpointType)]
    public async Task DescribeCluster_OfAnEndpointType_TellsBrokersOnly(short version, sbyte endpointType, ErrorCode expected)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var response = await client.DescribeClusterAsync(
            version,
            new DescribeClusterRequest { EndpointType = endpointType, IncludeClusterAuthorizedOperations = true });

        Assert.Equal((short)expected, response.ErrorCode);
        Assert.Equal(expected == ErrorCode.None ? 1 : 0, response.Brokers.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task FindCoordinator_OfOneGroup_IsThisBroker(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var broker = Assert.Single((await client.MetadataAsync(9, Names())).Brokers);

        var response = await client.FindCoordinatorAsync(version, new FindCoordinatorRequest { Key = "group" });

        Assert.Equal((short)ErrorCode.None, response.ErrorCode);
        Assert.Equal((broker.NodeId, broker.Host, broker.Port), (response.NodeId, response.Host, response.Port));
    }

    [Fact]
    public async Task FindCoordinator_OfManyKeys_AnswersEach()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var groups = await client.FindCoordinatorAsync(6, new FindCoordinatorRequest { KeyType = 0, CoordinatorKeys = ["a", "b"] });
        var shares = await client.FindCoordinatorAsync(6, new FindCoordinatorRequest { KeyType = 2, CoordinatorKeys = ["a:b:0"] });

        Assert.Equal(["a", "b"], groups.Coordinators.Select(coordinator => coordinator.Key));
        Assert.All(groups.Coordinators, coordinator => Assert.Equal((short)ErrorCode.None, coordinator.ErrorCode));
        Assert.Equal((short)ErrorCode.InvalidRequest, Assert.Single(shares.Coordinators).ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task InitProducerId_WithoutATransactionalId_GivesANewIdEachTime(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var first = await client.InitProducerIdAsync(version, new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = -1 });
        var second = await client.InitProducerIdAsync(version, new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = -1 });

        Assert.Equal(((short)ErrorCode.None, (short)0), (first.ErrorCode, first.ProducerEpoch));
        Assert.True(first.ProducerId >= 0);
        Assert.NotEqual(first.ProducerId, second.ProducerId);
    }

    [Fact]
    public async Task InitProducerId_WithATransactionalId_IsRefusedForGood()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var response = await client.InitProducerIdAsync(5, new InitProducerIdRequest { TransactionalId = "t", TransactionTimeoutMs = 60_000 });

        Assert.Equal((short)ErrorCode.TransactionalIdAuthorizationFailed, response.ErrorCode);
        Assert.Equal(-1, response.ProducerId);
    }

    private static MetadataRequest Names(params string[] names) =>
        new() { Topics = [.. names.Select(name => new MetadataRequest.MetadataRequestTopic { Name = name })] };
}
