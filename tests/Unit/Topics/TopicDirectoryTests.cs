using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Unit.Gateway.Kafka;

namespace Granary.Unit.Topics;

public sealed class TopicDirectoryTests
{
    private readonly FakeCluster _cluster = new();

    [Fact]
    public async Task SettingsOf_AnOldDescriptionOfAChangedTopic_LeavesTheNewOnesSettings()
    {
        await using var directory = new TopicDirectory(_cluster.Grains);
        _cluster.AddTopic("t");
        await directory.RefreshAsync();
        var old = directory.Find("t")!;
        await _cluster.AlterConfigsAsync([new TopicConfigChanges("t", [new ConfigChange("max.message.bytes", ConfigOperation.Set, "77")], ReplaceAll: false)], validateOnly: false);
        await directory.RefreshAsync();

        // Whoever looked the topic up before the change asks after it.
        Assert.Equal(1_048_588, directory.SettingsOf(old).MaxMessageBytes);

        Assert.Equal(77, directory.SettingsOf(directory.Find("t")!).MaxMessageBytes);
        Assert.Equal(77, directory.SettingsOf(directory.Find(old.TopicId)!).MaxMessageBytes);
    }

    [Fact]
    public async Task SettingsOf_TheSameDescription_AreParsedOnce()
    {
        await using var directory = new TopicDirectory(_cluster.Grains);
        var topic = _cluster.AddTopic("t");
        Assert.Same(directory.SettingsOf(topic), directory.SettingsOf(topic));
    }

    [Fact]
    public async Task Refresh_AfterADeletionAndANewTopicOfThatName_ShowsTheNewOne()
    {
        await using var directory = new TopicDirectory(_cluster.Grains);
        var first = _cluster.AddTopic("t");
        await directory.RefreshAsync();
        await _cluster.DeleteAsync([new TopicName("t")]);
        var second = _cluster.AddTopic("t", 2);

        await directory.RefreshAsync();

        Assert.Null(directory.Find(first.TopicId));
        Assert.Same(second, directory.Find("t"));
        Assert.Same(second, directory.Find(second.TopicId));
        Assert.Single(directory.ByName);
    }

    [Fact]
    public async Task FindOrAsk_WhatIsNotKnownHere_AsksOnce()
    {
        await using var directory = new TopicDirectory(_cluster.Grains);
        var topic = _cluster.AddTopic("t");

        Assert.Same(topic, await directory.FindOrAskAsync("t"));
        Assert.Same(topic, await directory.FindOrAskAsync(topic.TopicId));
        Assert.Equal(1, _cluster.Asked);
        Assert.Null(await directory.FindOrAskAsync("u"));
        Assert.Null(await directory.FindOrAskAsync(Guid.NewGuid()));
        Assert.Equal(3, _cluster.Asked);
    }

    [Fact]
    public async Task Find_OfAnyName_DistinguishesCase()
    {
        await using var directory = new TopicDirectory(_cluster.Grains);
        _cluster.AddTopic("t");
        await directory.RefreshAsync();
        Assert.Null(directory.Find("T"));
        Assert.Equal(["t"], directory.ByName.Keys.ToImmutableArray());
    }
}
