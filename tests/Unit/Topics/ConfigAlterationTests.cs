using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Grains.Topics;
using Granary.Unit.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Topics;

public sealed class ConfigAlterationTests
{
    private static readonly ImmutableDictionary<string, string> s_before =
        ImmutableDictionary<string, string>.Empty.Add("retention.ms", "1000").Add("segment.ms", "2000");

    [Fact]
    public void Apply_OfSetAndDelete_ChangesThoseAndLeavesOthers()
    {
        var (after, refusal) = Apply(
            replaceAll: false,
            new ConfigChange("retention.ms", ConfigOperation.Delete, null),
            new ConfigChange("retention.bytes", ConfigOperation.Set, "5"));

        Assert.Null(refusal);
        Assert.Equal([("retention.bytes", "5"), ("segment.ms", "2000")], Sorted(after));
    }

    [Fact]
    public void Apply_ReplacingAll_TakesWhatIsNotNamedBackToItsDefault()
    {
        var (after, refusal) = Apply(replaceAll: true, new ConfigChange("retention.bytes", ConfigOperation.Set, "5"));

        Assert.Null(refusal);
        Assert.Equal([("retention.bytes", "5")], Sorted(after));
    }

    [Fact]
    public void Apply_ReplacingAllByNothing_LeavesNothing() => Assert.Empty(Apply(replaceAll: true).Overrides);

    [Fact]
    public void Apply_DeletingWhatIsNotSet_Succeeds()
    {
        var (after, refusal) = Apply(replaceAll: false, new ConfigChange("flush.ms", ConfigOperation.Delete, null));
        Assert.Null(refusal);
        Assert.Equal(s_before, after);
    }

    [Theory]
    [InlineData("no.such.config", ConfigOperation.Set, "1", ErrorCode.InvalidConfig, "Unknown topic config name")]
    [InlineData("no.such.config", ConfigOperation.Delete, null, ErrorCode.InvalidConfig, "Unknown topic config name")]
    [InlineData("retention.bytes", ConfigOperation.Set, "-2", ErrorCode.InvalidConfig, "at least -1")]
    [InlineData("retention.bytes", ConfigOperation.Set, null, ErrorCode.InvalidConfig, "Null value")]
    [InlineData("retention.bytes", ConfigOperation.Append, "1", ErrorCode.InvalidConfig, "append is not allowed")]
    [InlineData("retention.bytes", ConfigOperation.Subtract, "1", ErrorCode.InvalidConfig, "subtract is not allowed")]
    [InlineData("cleanup.policy", ConfigOperation.Append, null, ErrorCode.InvalidConfig, "Null value")]
    [InlineData("cleanup.policy", ConfigOperation.Append, "compact", ErrorCode.InvalidConfig, "compact is not supported")]
    [InlineData("cleanup.policy", ConfigOperation.Subtract, "delete", ErrorCode.InvalidConfig, "cleanup.policy")]
    [InlineData("retention.bytes", (ConfigOperation)9, "1", ErrorCode.InvalidConfig, "Unknown operation type 9")]
    public void Apply_OfSomethingWrong_ChangesNothingOfAllAndSaysWhy(
        string name, ConfigOperation operation, string? value, ErrorCode error, string message)
    {
        var (after, refusal) = Apply(
            replaceAll: false,
            new ConfigChange("retention.ms", ConfigOperation.Set, "7"),
            new ConfigChange(name, operation, value),
            new ConfigChange("segment.ms", ConfigOperation.Delete, null));

        Assert.Equal(s_before, after);
        Assert.Equal(error, refusal!.Error);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Null(refusal.Topic);
    }

    [Fact]
    public void Apply_OfOneConfigTwice_IsRefused()
    {
        var (after, refusal) = Apply(
            replaceAll: false,
            new ConfigChange("retention.ms", ConfigOperation.Set, "7"),
            new ConfigChange("retention.ms", ConfigOperation.Delete, null));
        Assert.Equal(s_before, after);
        Assert.Equal(ErrorCode.InvalidRequest, refusal!.Error);
    }

    [Fact]
    public void Apply_AppendingWhatIsThere_KeepsItOnce() =>
        Assert.Equal("delete", Apply(replaceAll: false, new ConfigChange("cleanup.policy", ConfigOperation.Append, "delete")).Overrides["cleanup.policy"]);

    [Fact]
    public void Apply_AppendingToAListWithSpaces_KeepsEachOnce()
    {
        var (after, refusal) = ConfigAlteration.Apply(
            Topic(s_before.Add("cleanup.policy", " delete ")),
            new TopicConfigChanges("t", [new ConfigChange("cleanup.policy", ConfigOperation.Append, "delete")], ReplaceAll: false));
        Assert.Null(refusal);
        Assert.Equal("delete", after["cleanup.policy"]);
    }

    /// <summary>Whatever is asked: the outcome is all of it or nothing, only known names with values that pass remain, and they can be parsed.</summary>
    [Fact]
    public void Apply_OfRandomChanges_LeavesOnlyWhatIsValid() => Seeds.Run(1_000, random =>
    {
        string[] values = ["-2", "-1", "0", "1", "1000", "99999999999", "delete", "compact", "CreateTime", "true", "x", ""];
        var names = TopicConfigs.Definitions.Select(definition => definition.Name).Append("no.such.config").ToArray();
        var changes = Enumerable.Range(0, random.Next(5)).Select(_ => new ConfigChange(
            names[random.Next(names.Length)],
            (ConfigOperation)random.Next(-1, 5),
            random.Next(6) == 0 ? null : values[random.Next(values.Length)])).ToArray();
        var replaceAll = random.Next(2) == 0;

        var (after, refusal) = Apply(replaceAll, changes);

        Assert.All(after, config => Assert.Null(TopicConfigs.Check(config.Key, config.Value)));
        TopicConfigs.Parse(after);
        if (refusal is not null)
        {
            Assert.Equal(s_before, after);
            return;
        }

        foreach (var change in changes)
            Assert.Equal(change.Operation != ConfigOperation.Delete, after.ContainsKey(change.Name));
        foreach (var change in changes.Where(change => change.Operation == ConfigOperation.Set))
            Assert.Equal(change.Value, after[change.Name]);
        foreach (var (name, value) in s_before.Where(config => changes.All(change => change.Name != config.Key)))
            Assert.Equal(replaceAll ? null : value, after.GetValueOrDefault(name));
    });

    private static (ImmutableDictionary<string, string> Overrides, TopicResult? Refusal) Apply(bool replaceAll, params ConfigChange[] changes) =>
        ConfigAlteration.Apply(Topic(s_before), new TopicConfigChanges("t", [.. changes], replaceAll));

    private static TopicDescription Topic(ImmutableDictionary<string, string> overrides) => new("t", Guid.NewGuid(), 1, overrides, 1);

    private static IEnumerable<(string, string)> Sorted(ImmutableDictionary<string, string> overrides) =>
        overrides.Select(config => (config.Key, config.Value)).Order();
}
