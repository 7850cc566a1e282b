using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Apis;

/// <summary>DescribeConfigs, AlterConfigs and IncrementalAlterConfigs over a socket.</summary>
public sealed class ConfigApisTests(ApiFixture fixture)
{
    private const sbyte Topic = 2;
    private const sbyte Broker = 4;
    private const sbyte DynamicTopicConfig = 1;
    private const sbyte DefaultConfig = 5;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task DescribeConfigs_OfATopic_ListsAllWithTheirSources(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync(configs: ("retention.ms", "60000"));

        var result = await DescribeAsync(client, version, Topic, name, withSynonyms: true);

        Assert.Equal((short)ErrorCode.None, result.ErrorCode);
        Assert.Equal(TopicConfigs.Definitions.Length, result.Configs.Count);
        var retention = Assert.Single(result.Configs, config => config.Name == "retention.ms");
        Assert.Equal(("60000", DynamicTopicConfig), (retention.Value, retention.ConfigSource));
        Assert.Equal(["retention.ms", "log.retention.ms"], retention.Synonyms.Select(synonym => synonym.Name));
        Assert.Equal([DynamicTopicConfig, DefaultConfig], retention.Synonyms.Select(synonym => synonym.Source));
        var cleanup = Assert.Single(result.Configs, config => config.Name == "cleanup.policy");
        Assert.Equal(("delete", DefaultConfig), (cleanup.Value, cleanup.ConfigSource));
        if (version < 3)
            return;
        Assert.Equal((sbyte)ConfigType.Long, retention.ConfigType);
        Assert.NotNull(retention.Documentation);
    }

    [Fact]
    public async Task DescribeConfigs_WithoutWishes_LeavesOutSynonymsAndDocumentation()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();
        var request = new DescribeConfigsRequest { Resources = [new() { ResourceType = Topic, ResourceName = name, ConfigurationKeys = null }] };

        var result = Assert.Single((await client.DescribeConfigsAsync(4, request)).Results);

        Assert.All(result.Configs, config => Assert.Empty(config.Synonyms));
        Assert.All(result.Configs, config => Assert.Null(config.Documentation));
    }

    [Fact]
    public async Task DescribeConfigs_WithKeys_ListsThose()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        var result = await DescribeAsync(client, 4, Topic, name, keys: ["segment.bytes", "no.such.config"]);

        Assert.Equal("segment.bytes", Assert.Single(result.Configs).Name);
    }

    [Fact]
    public async Task DescribeConfigs_OfThisBroker_ListsWhatClientsLookFor()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var self = $"{(await client.MetadataAsync(9, new MetadataRequest { Topics = [] })).Brokers[0].NodeId}";

        var configs = (await DescribeAsync(client, 4, Broker, self)).Configs.ToDictionary(config => config.Name);

        Assert.Contains("num.partitions", configs);
        Assert.Contains("auto.create.topics.enable", configs);
        Assert.Equal("1048588", configs["message.max.bytes"].Value);
        Assert.Equal("604800000", configs["log.retention.ms"].Value);
        Assert.All(configs.Values, config => Assert.True(config.ReadOnly));
        Assert.Empty((await DescribeAsync(client, 4, Broker, "")).Configs);
    }

    [Theory]
    [InlineData(Topic, "not valid", ErrorCode.InvalidTopicException)]
    [InlineData(Topic, "no-such-topic", ErrorCode.UnknownTopicOrPartition)]
    [InlineData(Broker, "77", ErrorCode.InvalidRequest)]
    [InlineData(Broker, "x", ErrorCode.InvalidRequest)]
    [InlineData(0, "x", ErrorCode.InvalidRequest)]
    [InlineData(8, "1", ErrorCode.InvalidRequest)]
    [InlineData(99, "x", ErrorCode.InvalidRequest)]
    public async Task DescribeConfigs_OfWhatIsNotThere_SaysWhy(sbyte type, string name, ErrorCode expected)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var result = await DescribeAsync(client, 4, type, name);

        Assert.Equal((short)expected, result.ErrorCode);
        Assert.NotNull(result.ErrorMessage);
        Assert.Empty(result.Configs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AlterConfigs_ReplacesAllThatWasSet(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync(configs: ("retention.ms", "60000"));

        var answer = await AlterAsync(client, version, Topic, name, ("segment.bytes", "1048576"));

        Assert.Equal((short)ErrorCode.None, answer.ErrorCode);
        Assert.Equal(["segment.bytes=1048576"], await OverridesAsync(client, name));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task IncrementalAlterConfigs_ByEveryOperation_ChangesWhatIsNamed(short version)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync(1, ("retention.ms", "60000"), ("segment.ms", "1000"));

        Assert.Equal(ErrorCode.None, await ChangeAsync(client, version, name, ("retention.ms", ConfigOperation.Delete, null), ("max.message.bytes", ConfigOperation.Set, "5000")));
        Assert.Equal(["max.message.bytes=5000", "segment.ms=1000"], await OverridesAsync(client, name));
        Assert.Equal(ErrorCode.None, await ChangeAsync(client, version, name, ("cleanup.policy", ConfigOperation.Append, "delete")));
        Assert.Equal(["cleanup.policy=delete", "max.message.bytes=5000", "segment.ms=1000"], await OverridesAsync(client, name));
    }

    [Fact]
    public async Task IncrementalAlterConfigs_ThatCannotBe_SaysWhyAndChangesNothing()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();

        Assert.Equal(ErrorCode.InvalidConfig, await ChangeAsync(client, 1, name, ("retention.ms", ConfigOperation.Set, "soon")));
        Assert.Equal(ErrorCode.InvalidConfig, await ChangeAsync(client, 1, name, ("no.such.config", ConfigOperation.Set, "1")));
        Assert.Equal(ErrorCode.InvalidConfig, await ChangeAsync(client, 1, name, ("cleanup.policy", ConfigOperation.Append, "compact")));
        Assert.Equal(ErrorCode.InvalidConfig, await ChangeAsync(client, 1, name, ("retention.ms", ConfigOperation.Append, "1")));
        Assert.Equal(ErrorCode.InvalidRequest, await ChangeAsync(client, 1, name, ("retention.ms", ConfigOperation.Set, null)));
        Assert.Equal(ErrorCode.InvalidRequest, await ChangeAsync(client, 1, name, ("retention.ms", (ConfigOperation)9, "1")));
        Assert.Equal(
            ErrorCode.InvalidRequest,
            await ChangeAsync(client, 1, name, ("retention.ms", ConfigOperation.Set, "1"), ("retention.ms", ConfigOperation.Delete, null)));
        Assert.Equal(
            ErrorCode.InvalidConfig,
            await ChangeAsync(client, 1, name, ("segment.ms", ConfigOperation.Set, "5000"), ("retention.ms", ConfigOperation.Set, "-7")));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await ChangeAsync(client, 1, $"x-{Guid.NewGuid():N}", ("retention.ms", ConfigOperation.Set, "1")));
        Assert.Empty(await OverridesAsync(client, name));
    }

    [Fact]
    public async Task IncrementalAlterConfigs_WithValidateOnly_ChangesNothing()
    {
        await using var client = await fixture.ConnectAsync(Cancellation);
        var name = await client.NewTopicAsync();
        var request = Changes(name, ("retention.ms", ConfigOperation.Set, "1"));
        request.ValidateOnly = true;

        Assert.Equal((short)ErrorCode.None, Assert.Single((await client.IncrementalAlterConfigsAsync(1, request)).Responses).ErrorCode);
        Assert.Empty(await OverridesAsync(client, name));
    }

    [Theory]
    [InlineData(Broker, "1")]
    [InlineData(8, "1")]
    [InlineData(0, "x")]
    public async Task AlterConfigs_OfAnythingButATopic_IsInvalidRequest(sbyte type, string name)
    {
        await using var client = await fixture.ConnectAsync(Cancellation);

        var answer = await AlterAsync(client, 2, type, name, ("num.partitions", "2"));

        Assert.Equal(((short)ErrorCode.InvalidRequest, type, name), (answer.ErrorCode, answer.ResourceType, answer.ResourceName));
        Assert.NotNull(answer.ErrorMessage);
    }

    private static async Task<DescribeConfigsResponse.DescribeConfigsResult> DescribeAsync(
        ApiClient client,
        short version,
        sbyte type,
        string name,
        bool withSynonyms = false,
        List<string>? keys = null)
    {
        var response = await client.DescribeConfigsAsync(version, new DescribeConfigsRequest
        {
            Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = keys }],
            IncludeSynonyms = withSynonyms,
            IncludeDocumentation = version >= 3,
        });
        return Assert.Single(response.Results);
    }

    /// <summary>What was set on the topic, as name=value, by name.</summary>
    private static async Task<IEnumerable<string>> OverridesAsync(ApiClient client, string topic) =>
        (await DescribeAsync(client, 4, Topic, topic)).Configs
            .Where(config => config.ConfigSource == DynamicTopicConfig)
            .Select(config => $"{config.Name}={config.Value}")
            .Order(StringComparer.Ordinal);

    private static async Task<AlterConfigsResponse.AlterConfigsResourceResponse> AlterAsync(
        ApiClient client,
        short version,
        sbyte type,
        string name,
        params (string Name, string? Value)[] configs)
    {
        var response = await client.AlterConfigsAsync(version, new AlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = type,
                    ResourceName = name,
                    Configs = [.. configs.Select(config => new AlterConfigsRequest.AlterableConfig { Name = config.Name, Value = config.Value })],
                },
            ],
        });
        return Assert.Single(response.Responses);
    }

    private static async Task<ErrorCode> ChangeAsync(
        ApiClient client,
        short version,
        string topic,
        params (string Name, ConfigOperation Operation, string? Value)[] changes) =>
        (ErrorCode)Assert.Single((await client.IncrementalAlterConfigsAsync(version, Changes(topic, changes))).Responses).ErrorCode;

    private static IncrementalAlterConfigsRequest Changes(
        string topic,
        params (string Name, ConfigOperation Operation, string? Value)[] changes) => new()
        {
            Resources =
            [
                new()
                {
                    ResourceType = Topic,
                    ResourceName = topic,
                    Configs =
                    [
                        .. changes.Select(change => new IncrementalAlterConfigsRequest.AlterableConfig
                        {
                            Name = change.Name,
                            ConfigOperation = (sbyte)change.Operation,
                            Value = change.Value,
                        }),
                    ],
                },
            ],
        };
}
