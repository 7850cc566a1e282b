using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Apis;

namespace Granary.Unit.Gateway.Apis;

public sealed class ConfigAlterationsTests
{
    private const sbyte Topic = (sbyte)ConfigResourceType.Topic;

    [Fact]
    public void Check_WithEveryOperationOnATopic_Accepts() =>
        Assert.Null(Refusal(
            Topic,
            new ConfigChange("retention.ms", ConfigOperation.Set, "1"),
            new ConfigChange("retention.bytes", ConfigOperation.Delete, null),
            new ConfigChange("cleanup.policy", ConfigOperation.Append, "delete"),
            new ConfigChange("segment.ms", ConfigOperation.Subtract, "x")));

    [Fact]
    public void Check_WithAConfigTwice_Refuses() =>
        Assert.Contains("retention.ms", Refusal(
            Topic,
            new ConfigChange("retention.ms", ConfigOperation.Set, "1"),
            new ConfigChange("retention.ms", ConfigOperation.Delete, null)));

    [Theory]
    [InlineData(ConfigOperation.Set)]
    [InlineData(ConfigOperation.Append)]
    [InlineData(ConfigOperation.Subtract)]
    public void Check_WithoutAValue_Refuses(ConfigOperation operation) =>
        Assert.Contains("retention.ms", Refusal(Topic, new ConfigChange("retention.ms", operation, null)));

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void Check_WithAnUnknownOperation_Refuses(sbyte operation) =>
        Assert.NotNull(Refusal(Topic, new ConfigChange("retention.ms", (ConfigOperation)operation, "1")));

    [Theory]
    [InlineData(0)]
    [InlineData((sbyte)ConfigResourceType.Broker)]
    [InlineData(8)]
    [InlineData(16)]
    public void Check_OfAnythingButATopic_Refuses(sbyte type) => Assert.NotNull(Refusal(type));

    [Fact]
    public void Check_WithAResourceTwice_RefusesItOnceAndOthersNot()
    {
        var checkedResources = ConfigAlterations.Check(
            [new ResourceChanges(Topic, "a", []), new ResourceChanges(Topic, "b", []), new ResourceChanges(Topic, "a", [])]);

        Assert.Equal(["a", "b"], checkedResources.Select(resource => resource.Resource.Name));
        Assert.NotNull(checkedResources[0].Refusal);
        Assert.Null(checkedResources[1].Refusal);
    }

    private static string? Refusal(sbyte type, params ConfigChange[] changes) =>
        Assert.Single(ConfigAlterations.Check([new ResourceChanges(type, "a", [.. changes])])).Refusal;
}
