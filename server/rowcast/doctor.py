def run(settings):
    return 0
