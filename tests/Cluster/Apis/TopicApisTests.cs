using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Apis;

/// <summary>CreateTopics, DeleteTopics and CreatePartitions over a socket.</summary>
public sealed class TopicApisTests(ApiFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public async Task CreateTopics_OfANewTopic_TellsWhatWasMade(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = NewName();

        var created = await CreateAsync(client, version, Topic(name, 3, configs: ("retention.ms", "60000")));

        Assert.Equal((short)ErrorCode.None, created.ErrorCode);
        if (version < 5)
            return;
        Assert.Equal((3, (short)1), (created.NumPartitions, created.ReplicationFactor));
        var retention = Assert.Single(created.Configs!, config => config.Name == "retention.ms");
        Assert.Equal(("60000", (sbyte)1, false), (retention.Value, retention.ConfigSource, retention.ReadOnly));
        Assert.Equal((sbyte)5, Assert.Single(created.Configs!, config => config.Name == "segment.bytes").ConfigSource);
        if (version >= 7)
            Assert.NotEqual(Guid.Empty, created.TopicId);
    }

    [Fact]
    public async Task CreateTopics_WithValidateOnly_TellsAndMakesNothing()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = NewName();
        var request = new CreateTopicsRequest { Topics = [Topic(name, 3)], ValidateOnly = true, TimeoutMs = 30_000 };

        var first = Assert.Single((await client.CreateTopicsAsync(7, request)).Topics);
        var second = Assert.Single((await client.CreateTopicsAsync(7, request)).Topics);

        Assert.Equal(((short)ErrorCode.None, 3), (first.ErrorCode, first.NumPartitions));
        Assert.Equal((short)ErrorCode.None, second.ErrorCode);
    }

    [Fact]
    public async Task CreateTopics_ThatCannotBe_SaysWhy()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var existing = await client.NewTopicAsync();

        Assert.Equal(ErrorCode.TopicAlreadyExists, await RefusalAsync(client, Topic(existing, 1)));
        Assert.Equal(ErrorCode.InvalidTopicException, await RefusalAsync(client, Topic("not valid", 1)));
        Assert.Equal(ErrorCode.InvalidPartitions, await RefusalAsync(client, Topic(NewName(), 0)));
        Assert.Equal(ErrorCode.InvalidPartitions, await RefusalAsync(client, Topic(NewName(), int.MaxValue)));
        Assert.Equal(ErrorCode.InvalidReplicationFactor, await RefusalAsync(client, Topic(NewName(), 1, replicationFactor: 0)));
        Assert.Equal(ErrorCode.InvalidConfig, await RefusalAsync(client, Topic(NewName(), 1, configs: ("retention.ms", "soon"))));
        Assert.Equal(ErrorCode.InvalidConfig, await RefusalAsync(client, Topic(NewName(), 1, configs: ("no.such.config", "1"))));
        Assert.Equal(ErrorCode.InvalidConfig, await RefusalAsync(client, Topic(NewName(), 1, configs: ("cleanup.policy", "compact"))));
    }

    [Fact]
    public async Task CreateTopics_WithMoreReplicasThanBrokers_IsTakenAndTold()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var created = await CreateAsync(client, 7, Topic(NewName(), 1, replicationFactor: 3));

        Assert.Equal(((short)ErrorCode.None, (short)1), (created.ErrorCode, created.ReplicationFactor));
    }

    [Fact]
    public async Task CreateTopics_WithANameTwice_RefusesItAndMakesTheOthers()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var (twice, once) = (NewName(), NewName());
        var request = new CreateTopicsRequest { Topics = [Topic(twice, 1), Topic(once, 1), Topic(twice, 2)], TimeoutMs = 30_000 };

        var answers = (await client.CreateTopicsAsync(7, request)).Topics.ToDictionary(topic => topic.Name, topic => topic.ErrorCode);

        Assert.Equal(2, answers.Count);
        Assert.Equal((short)ErrorCode.InvalidRequest, answers[twice]);
        Assert.Equal((short)ErrorCode.None, answers[once]);
    }

    [Fact]
    public async Task CreateTopics_WithManualAssignments_CountsThem()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var assigned = Topic(NewName(), -1);
        assigned.Assignments = [new() { PartitionIndex = 0, BrokerIds = [1] }, new() { PartitionIndex = 1, BrokerIds = [1, 2] }];
        var withHole = Topic(NewName(), -1);
        withHole.Assignments = [new() { PartitionIndex = 0, BrokerIds = [1] }, new() { PartitionIndex = 2, BrokerIds = [1] }];

        Assert.Equal(2, (await CreateAsync(client, 7, assigned)).NumPartitions);
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, await RefusalAsync(client, withHole));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task DeleteTopics_ByName_DeletesWhatIsThere(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var (name, unknown) = (await client.NewTopicAsync(), NewName());
        var request = new DeleteTopicsRequest { TimeoutMs = 30_000 };
        if (version >= 6)
            request.Topics = [new() { Name = name }, new() { Name = unknown }];
        else
            request.TopicNames = [name, unknown];

        var answers = (await client.DeleteTopicsAsync(version, request)).Responses.ToDictionary(topic => topic.Name!, topic => topic.ErrorCode);

        Assert.Equal((short)ErrorCode.None, answers[name]);
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, answers[unknown]);
        var gone = await client.MetadataAsync(9, new MetadataRequest { Topics = [new() { Name = name }], AllowAutoTopicCreation = false });
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single(gone.Topics).ErrorCode);
    }

    [Fact]
    public async Task DeleteTopics_ByTopicId_TellsItsName()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var created = await CreateAsync(client, 7, Topic(NewName(), 1));
        var unknown = Guid.NewGuid();

        var answers = (await client.DeleteTopicsAsync(6, new DeleteTopicsRequest
        {
            Topics = [new() { Name = null, TopicId = created.TopicId }, new() { Name = null, TopicId = unknown }],
            TimeoutMs = 30_000,
        })).Responses;

        Assert.Equal(((short)ErrorCode.None, created.Name), (answers[0].ErrorCode, answers[0].Name));
        Assert.Equal(((short)ErrorCode.UnknownTopicId, unknown), (answers[1].ErrorCode, answers[1].TopicId));
    }

    [Fact]
    public async Task DeleteTopics_ThatContradictsItself_IsInvalidAndDeletesNothing()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        var answers = (await client.DeleteTopicsAsync(6, new DeleteTopicsRequest
        {
            Topics = [new() { Name = name }, new() { Name = name }, new() { Name = null }, new() { Name = name, TopicId = Guid.NewGuid() }],
            TimeoutMs = 30_000,
        })).Responses;

        Assert.Equal(3, answers.Count);
        Assert.All(answers, answer => Assert.Equal((short)ErrorCode.InvalidRequest, answer.ErrorCode));
        Assert.All(answers, answer => Assert.NotNull(answer.ErrorMessage));
        var still = await client.MetadataAsync(9, new MetadataRequest { Topics = [new() { Name = name }], AllowAutoTopicCreation = false });
        Assert.Equal((short)ErrorCode.None, Assert.Single(still.Topics).ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task CreatePartitions_AnswersEveryTopic(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var (grown, same, assigned) = (await client.NewTopicAsync(2), await client.NewTopicAsync(2), await client.NewTopicAsync(2));
        var unknown = NewName();

        var answers = (await client.CreatePartitionsAsync(version, new CreatePartitionsRequest
        {
            Topics =
            [
                new() { Name = grown, Count = 4, Assignments = null },
                new() { Name = same, Count = 2, Assignments = null },
                new() { Name = assigned, Count = 4, Assignments = [new() { BrokerIds = [1] }] },
                new() { Name = unknown, Count = 4, Assignments = null },
            ],
            TimeoutMs = 30_000,
        })).Results.ToDictionary(topic => topic.Name, topic => (ErrorCode)topic.ErrorCode);

        Assert.Equal(ErrorCode.None, answers[grown]);
        Assert.Equal(ErrorCode.InvalidPartitions, answers[same]);
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, answers[assigned]);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, answers[unknown]);
        var metadata = await client.MetadataAsync(9, new MetadataRequest { Topics = [new() { Name = grown }] });
        Assert.Equal(4, Assert.Single(metadata.Topics).Partitions.Count);
    }

    [Fact]
    public async Task CreatePartitions_ThenProduceToANewOne_IsTaken()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        await client.CreatePartitionsAsync(3, new CreatePartitionsRequest { Topics = [new() { Name = name, Count = 2, Assignments = null }] });

        await client.ProduceAsync(name, partition: 1, count: 1);
    }

    private static string NewName() => $"t-{Guid.NewGuid():N}";

    private static CreateTopicsRequest.CreatableTopic Topic(
        string name,
        int partitions,
        short replicationFactor = -1,
        params (string Name, string Value)[] configs) => new()
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = replicationFactor,
            Configs = [.. configs.Select(config => new CreateTopicsRequest.CreatableTopicConfig { Name = config.Name, Value = config.Value })],
        };

    private static async Task<CreateTopicsResponse.CreatableTopicResult> CreateAsync(
        ApiClient client,
        short version,
        CreateTopicsRequest.CreatableTopic topic) =>
        Assert.Single((await client.CreateTopicsAsync(version, new CreateTopicsRequest { Topics = [topic], TimeoutMs = 30_000 })).Topics);

    private static async Task<ErrorCode> RefusalAsync(ApiClient client, CreateTopicsRequest.CreatableTopic topic)
    {
        var answer = await CreateAsync(client, 7, topic);
        Assert.NotNull(answer.ErrorMessage);
        return (ErrorCode)answer.ErrorCode;
    }
}
