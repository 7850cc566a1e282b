using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Apis;

namespace Granary.Unit.Topics;

public sealed class TopicConfigsTests
{
    public static TheoryData<string> Names() => [.. TopicConfigs.Definitions.Select(definition => definition.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Default_IsAValueThatIsTaken(string name) => Assert.Null(TopicConfigs.Check(name, TopicConfigs.Find(name)!.Default));

    [Fact]
    public void Definitions_AreInOrderAndOnce() =>
        Assert.Equal(
            TopicConfigs.Definitions.Select(definition => definition.Name).Distinct().Order(StringComparer.Ordinal),
            TopicConfigs.Definitions.Select(definition => definition.Name));

    /// <summary>The smallest and the largest value that are taken; one less and one more are not. From Kafka's documentation, "Topic Configs".</summary>
    [Theory]
    [InlineData("delete.retention.ms", 0, long.MaxValue)]
    [InlineData("file.delete.delay.ms", 0, long.MaxValue)]
    [InlineData("flush.messages", 1, long.MaxValue)]
    [InlineData("flush.ms", 0, long.MaxValue)]
    [InlineData("index.interval.bytes", 0, int.MaxValue)]
    [InlineData("max.compaction.lag.ms", 1, long.MaxValue)]
    [InlineData("max.message.bytes", 0, int.MaxValue)]
    [InlineData("message.timestamp.after.max.ms", 0, long.MaxValue)]
    [InlineData("message.timestamp.before.max.ms", 0, long.MaxValue)]
    [InlineData("min.compaction.lag.ms", 0, long.MaxValue)]
    [InlineData("min.insync.replicas", 1, int.MaxValue)]
    [InlineData("retention.bytes", -1, long.MaxValue)]
    [InlineData("retention.ms", -1, long.MaxValue)]
    [InlineData("segment.bytes", 14, int.MaxValue)]
    [InlineData("segment.index.bytes", 4, int.MaxValue)]
    [InlineData("segment.jitter.ms", 0, long.MaxValue)]
    [InlineData("segment.ms", 1, long.MaxValue)]
    public void Check_OfANumber_TakesBothEdgesAndNothingBeyond(string name, long least, long most)
    {
        Assert.Null(TopicConfigs.Check(name, $"{least}"));
        Assert.Null(TopicConfigs.Check(name, $"{most}"));
        Assert.Contains($"{least}", TopicConfigs.Check(name, $"{least - 1}"), StringComparison.Ordinal);
        Assert.NotNull(TopicConfigs.Check(name, $"{(Int128)most + 1}"));
        foreach (var wrong in new[] { "", " ", "x", "1.5", "1e3", "0x10", "1_000", "1,000", "--1" })
            Assert.Contains(name, TopicConfigs.Check(name, wrong), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfEveryNumber_IsHeldToItsBounds()
    {
        var numbers = TopicConfigs.Definitions.Where(definition => definition.Type is ConfigType.Int or ConfigType.Long).Select(definition => definition.Name);
        var tested = typeof(TopicConfigsTests).GetMethod(nameof(Check_OfANumber_TakesBothEdgesAndNothingBeyond))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false)
            .Select(data => (string)((InlineDataAttribute)data).Data[0]!);
        Assert.Equal(numbers.Order(), tested.Order());
    }

    /// <summary>Kafka trims numbers and booleans, and reads booleans in any case.</summary>
    [Theory]
    [InlineData("retention.ms", " 1000 ")]
    [InlineData("retention.ms", "+1000")]
    [InlineData("preallocate", "TRUE")]
    [InlineData("unclean.leader.election.enable", " False ")]
    [InlineData("cleanup.policy", " delete ")]
    [InlineData("cleanup.policy", "delete, delete")]
    [InlineData("min.cleanable.dirty.ratio", "0")]
    [InlineData("min.cleanable.dirty.ratio", "1.0")]
    public void Check_OfAValueThatKafkaTakes_FindsNothing(string name, string value) => Assert.Null(TopicConfigs.Check(name, value));

    [Theory]
    [InlineData("preallocate", "yes")]
    [InlineData("preallocate", "")]
    [InlineData("message.timestamp.type", "createtime")]
    [InlineData("cleanup.policy", "")]
    [InlineData("cleanup.policy", "keep")]
    [InlineData("min.cleanable.dirty.ratio", "1.01")]
    [InlineData("min.cleanable.dirty.ratio", "-0.01")]
    [InlineData("min.cleanable.dirty.ratio", "NaN")]
    [InlineData("compression.type", "brotli")]
    public void Check_OfAValueThatKafkaRefuses_NamesConfigAndValue(string name, string value)
    {
        var wrong = TopicConfigs.Check(name, value);
        Assert.Contains(name, wrong, StringComparison.Ordinal);
        Assert.Contains($"Invalid value {value} ", wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compact")]
    [InlineData("compact,delete")]
    [InlineData("delete, compact")]
    public void Check_OfCompaction_SaysThatItIsNotSupported(string policy) =>
        Assert.Contains("compact is not supported", TopicConfigs.Check("cleanup.policy", policy), StringComparison.Ordinal);

    [Theory]
    [InlineData("gzip")]
    [InlineData("uncompressed")]
    public void Check_OfCompressionByTheBroker_SaysThatItIsNotSupported(string codec) =>
        Assert.Contains("only producer is supported", TopicConfigs.Check("compression.type", codec), StringComparison.Ordinal);

    [Theory]
    [InlineData("no.such.config")]
    [InlineData("Retention.ms")]
    [InlineData("retention.ms ")]
    [InlineData("log.retention.ms")]
    [InlineData("")]
    public void Check_OfAnUnknownName_SaysSo(string name)
    {
        Assert.Null(TopicConfigs.Find(name));
        Assert.Equal($"Unknown topic config name: {name}", TopicConfigs.Check(name, "1"));
    }

    /// <summary>What would grow the catalog without end: a number with leading zeros, a list that repeats itself.</summary>
    [Fact]
    public void Check_OfAVeryLongValue_IsRefusedShortly()
    {
        Assert.Null(TopicConfigs.Check("retention.ms", "1000".PadLeft(TopicConfigs.MaxValueLength, '0')));
        string?[] refusals =
        [
            TopicConfigs.Check("retention.ms", "1000".PadLeft(TopicConfigs.MaxValueLength + 1, '0')),
            TopicConfigs.Check("cleanup.policy", string.Join(',', Enumerable.Repeat("delete", 10_000))),
            TopicConfigs.Check(new string('x', 100_000), "1"),
        ];
        Assert.All(refusals, refusal => Assert.InRange(refusal!.Length, 1, 400));
    }

    [Fact]
    public void Check_OfNull_SaysSo() => Assert.Contains("Null value", TopicConfigs.Check("retention.ms", null), StringComparison.Ordinal);

    [Fact]
    public void Parse_OfNothing_GivesTheSettingsDefaults() => Assert.Equal(new TopicSettings(), Parse());

    [Fact]
    public void Parse_OfEverySetting_GivesIt()
    {
        var settings = Parse(
            ("retention.ms", "1000"), ("retention.bytes", "2000"), ("segment.bytes", "3000"), ("segment.ms", "4000"), ("max.message.bytes", "5000"),
            ("message.timestamp.type", "LogAppendTime"), ("message.timestamp.before.max.ms", "6000"), ("message.timestamp.after.max.ms", "7000"),
            ("cleanup.policy", "delete"));
        Assert.Equal(
            new TopicSettings
            {
                Retention = TimeSpan.FromSeconds(1),
                RetentionBytes = 2000,
                SegmentBytes = 3000,
                SegmentAge = TimeSpan.FromSeconds(4),
                MaxMessageBytes = 5000,
                TimestampType = TimestampType.LogAppendTime,
                TimestampBeforeMaxMs = 6000,
                TimestampAfterMaxMs = 7000,
            },
            settings);
    }

    [Fact]
    public void Parse_OfForEver_HasNoBounds()
    {
        var settings = Parse(("retention.ms", "-1"), ("retention.bytes", "-1"));
        Assert.Null(settings.Retention);
        Assert.Null(settings.RetentionBytes);
        Assert.Null(Parse(("retention.ms", $"{long.MaxValue}")).Retention);
        Assert.Equal(TimeSpan.MaxValue, Parse(("segment.ms", $"{long.MaxValue}")).SegmentAge);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfWhateverCheckTakes_Succeeds(string name)
    {
        string[] values = ["-1", "0", "1", "+1", " 14 ", "14", $"{int.MaxValue}", $"{(long)int.MaxValue + 1}", $"{long.MaxValue}", "true", "False", "delete", "CreateTime", "0.5", "producer"];
        foreach (var value in values.Where(value => TopicConfigs.Check(name, value) is null))
            Assert.NotNull(Parse((name, value)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Listed_WithAndWithoutAnOverride_SaysWhereItsValueIsFrom(string name)
    {
        var definition = TopicConfigs.Find(name)!;

        var byDefault = ConfigListing.OfTopic(definition, null);
        var set = ConfigListing.OfTopic(definition, definition.Default);

        Assert.Equal((definition.Default, ConfigSource.Default), (byDefault.Value, byDefault.Source));
        Assert.Equal((definition.Default, ConfigSource.DynamicTopic), (set.Value, set.Source));
        Assert.Equal(byDefault.Synonyms, set.Synonyms.RemoveAt(0));
        Assert.Equal(new ConfigSynonym(name, definition.Default, ConfigSource.DynamicTopic), set.Synonyms[0]);
    }

    private static TopicSettings Parse(params (string Name, string Value)[] overrides) =>
        TopicConfigs.Parse(overrides.ToImmutableDictionary(config => config.Name, config => config.Value));
}
